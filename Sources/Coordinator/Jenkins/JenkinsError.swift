import BuildModel

/// A job's variables that make no sense: all complaints at once, so that a job is mended in one go.
package struct JenkinsError: BlamedError, Hashable {
  /// Never empty. A complaint names the variable and what would be right; values of tokens are in none of them.
  package let problems: [String]

  package var blame: Blame { .request }

  package var description: String {
    problems.count == 1 ? problems[0] : "\(problems.count) of the job's variables are wrong:" + problems.map { "\n  " + $0 }.joined()
  }
}
