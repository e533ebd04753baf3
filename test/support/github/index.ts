export { type AccountOptions, addAccount, grant, revoke, rotateToken } from './accounts.ts'
export {
  type AppOptions,
  addApp,
  addInstallation,
  appKeyPair,
  type InstallationOptions,
  mintToken,
} from './apps.ts'
export {
  type BlamedCommitOptions,
  type BlameOptions,
  blamedCommit,
  setBlame,
} from './blames.ts'
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
export type { FaultHandle, FaultKind, FaultMatch, FaultOptions, FaultTarget } from './faults.ts'
export type { CountFilter, RequestRecord } from './log.ts'
export {
  OCTOCAT_TOKEN,
  RECORDED_TOKEN,
  recordedWorld,
} from './recorded-world.ts'
export { documented } from './recordings.ts'
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
export { emptyWorld, issueOf, repositoryOf, touch } from './world.ts'
