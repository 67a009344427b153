/// The labels of file systems that hold the image store.
enum DataLabel {
  static let all = ["resin-data", "balena-data"]
}
