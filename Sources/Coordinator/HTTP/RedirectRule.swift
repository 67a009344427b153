/// Where an answer sends its request, or why it is not followed there.
enum RedirectRule {
  enum Verdict {
    /// Not a redirect.
    case answer
    case follow(HTTPRequest)
    case refuse(String)
  }

  /// 301, 302 and 303 are followed by what only reads; 307 and 308 by every method with its body. No method is changed into another.
  static func verdict(on response: HTTPResponse, to request: HTTPRequest) -> Verdict {
    let reads = request.method == .get || request.method == .head
    switch response.status {
    case 301, 302, 303:
      guard reads else { return .refuse("a redirect with \(response.status) would turn \(request.method.rawValue) into GET") }
    case 307, 308: break
    default: return .answer
    }
    guard let location = response.fields["Location"] else { return .refuse("a redirect without Location") }
    guard let target = try? request.url.resolving(location) else { return .refuse("a redirect to something that is no http or https URL") }
    guard target.mayBeNamed(by: request.url) else { return .refuse("a redirect to \(target.origin.host), this machine itself") }
    var next = request
    next.url = target
    if target.origin != request.url.origin { next.authorization = nil }
    return .follow(next)
  }
}
