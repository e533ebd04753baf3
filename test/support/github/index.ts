export { type AccountOptions, addAccount, grant, revoke, rotateToken } from './accounts.ts'
export { addJob, addRun, type JobOptions, type RunOptions, type StepOptions } from './actions.ts'
export {
  type AppOptions,
  addApp,
  addInstallation,
  appKeyPair,
  type InstallationOptions,
  mintToken,
} from './apps.ts'
export { landCommit } from './blames.ts'
export type { BlobFault, BlobRequest, Blobs } from './blobs.ts'
export {
  blockRepository,
  deleteIssue,
  deleteRepository,
  renameRepository,
  transferIssue,
  updateIssue,
  updateRepository,
} from './changes.ts'
export {
  type AnnotationOptions,
  addCheckRun,
  addStatus,
  type CheckRunOptions,
  type StatusOptions,
} from './checks.ts'
export { setCommitFiles } from './commits.ts'
export {
  addComments,
  addIssue,
  addRepository,
  type CommentOptions,
  type IssueOptions,
  type RepositoryOptions,
} from './content.ts'
export {
  addDiscussion,
  addDiscussionComments,
  addReplies,
  chooseAnswer,
  type DiscussionCommentOptions,
  type DiscussionOptions,
  deleteDiscussion,
  updateDiscussion,
} from './discussions.ts'
export {
  addCommitComment,
  addEvent,
  type CommitCommentOptions,
  type EventOptions,
} from './events.ts'
export type { FaultHandle, FaultKind, FaultMatch, FaultOptions, FaultTarget } from './faults.ts'
export { addFiles, addTag, type CommitOptions } from './files.ts'
export type { FileContent } from './git.ts'
export type { CountFilter, RequestRecord } from './log.ts'
export {
  addPull,
  addReview,
  type FileOptions,
  fileBody,
  mergePull,
  type PullOptions,
  type ReviewOptions,
  updatePull,
} from './pulls.ts'
export {
  OCTOCAT_TOKEN,
  RECORDED_TOKEN,
  recordedWorld,
} from './recorded-world.ts'
export { documented } from './recordings.ts'
export { addRelease, type ReleaseOptions } from './releases.ts'
export {
  addClosing,
  addMention,
  addReviewThread,
  addSubIssue,
  type MentionOptions,
  type ReviewThreadOptions,
} from './reviews.ts'
export { type GitHub, type GitHubOptions, startGitHub } from './server.ts'
export type * from './types.ts'
export type * from './work-types.ts'
export { emptyWorld, issueOf, repositoryOf, touch } from './world.ts'
