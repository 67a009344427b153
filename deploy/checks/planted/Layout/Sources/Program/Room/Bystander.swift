/// Needs another file, which does not need this one.
struct Bystander {
  let taker: Taker
}
