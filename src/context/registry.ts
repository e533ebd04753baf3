import type { Provider } from '../core/provider.ts'
import { githubBlame } from './github_blame.ts'
import { githubCodeSearch } from './github_code_search.ts'
import { githubComment } from './github_comment.ts'
import { githubCommit } from './github_commit.ts'
import { githubCommits } from './github_commits.ts'
import { githubCompare } from './github_compare.ts'
import { githubDiscussion } from './github_discussion.ts'
import { githubDiscussionComments } from './github_discussion_comments.ts'
import { githubDiscussions } from './github_discussions.ts'
import { githubFile } from './github_file.ts'
import { githubFiles } from './github_files.ts'
import { githubIssue } from './github_issue.ts'
import { githubIssueComments } from './github_issue_comments.ts'
import { githubIssueSearch } from './github_issue_search.ts'
import { githubIssues } from './github_issues.ts'
import { githubPullRequest } from './github_pull_request.ts'
import { githubPullRequestFiles } from './github_pull_request_files.ts'
import { githubPullRequests } from './github_pull_requests.ts'
import { githubRelease } from './github_release.ts'
import { githubReleases } from './github_releases.ts'
import { githubRepo } from './github_repo.ts'
import { githubTree } from './github_tree.ts'
import { githubUser } from './github_user.ts'
import { githubWorkflowRun } from './github_workflow_run.ts'

/** Every context type. A new one is a file in this folder and a line here. */
export const providers: readonly Provider[] = [
  githubRepo,
  githubFile,
  githubFiles,
  githubTree,
  githubBlame,
  githubReleases,
  githubRelease,
  githubCodeSearch,
  githubCommits,
  githubCommit,
  githubCompare,
  githubIssue,
  githubIssueComments,
  githubComment,
  githubIssues,
  githubIssueSearch,
  githubPullRequest,
  githubPullRequests,
  githubPullRequestFiles,
  githubWorkflowRun,
  githubDiscussion,
  githubDiscussionComments,
  githubDiscussions,
  githubUser,
]
