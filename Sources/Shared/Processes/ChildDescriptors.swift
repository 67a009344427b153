/// The descriptors that a child gets. It gets no others, whatever its caller has open and however it was opened.
package struct ChildDescriptors: Sendable {
  /// Standard input; nil: there is nothing to read (/dev/null).
  package var input: Int32?
  /// Standard output; nil: nobody reads it (/dev/null).
  package var output: Int32?
  /// Standard error; nil: the same as standard output.
  package var errors: Int32?
  /// They become 3, 4, …
  package var more: [Int32]

  package init(input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil, more: [Int32] = []) {
    self.input = input
    self.output = output
    self.errors = errors
    self.more = more
  }
}
