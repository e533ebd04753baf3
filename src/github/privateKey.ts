import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'

/**
 * The RSA key of a GitHub App as PKCS #8 PEM, from what fits into an environment variable: the PEM
 * itself, the PEM with its line ends written as `\n`, or the path of a file that holds it. GitHub
 * hands keys out as PKCS #1; one form makes equal keys equal.
 * @returns undefined for anything else; the reason is not told, as it might quote the key
 */
export function readPrivateKey(value: string): string | undefined {
  try {
    const pem = value.includes('-----BEGIN')
      ? value.replaceAll('\\n', '\n')
      : readFileSync(value, 'utf8')
    return pkcs8(createPrivateKey(pem))
  } catch {
    return undefined
  }
}

function pkcs8(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return undefined
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
