import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 make every object young. It else notes which lines of code made objects that lived on, and has
 * these make old ones from then on (`AllocationSite::PretenureDecision`, src/objects/allocation-site.h):
 * what is dead there keeps all that it points to alive until the whole heap is looked through. Where the
 * first requests of a process took long, as when it shares its core while it starts, whole requests were
 * copied twice: 13 ms instead of 4, for everybody who waited, as long as the process lived.
 */
export function keepYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
