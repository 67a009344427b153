import BuildModel
import CanonicalJSON
import Testing

@testable import Balena
@testable import HTTP

/// OData as it goes into URLs: always parenthesised, always escaped.
struct ODataTests {
  @Test func escapesWhatAValueMayHold() {
    #expect("2.60.1+rev1".literal == "'2.60.1%2Brev1'")
    #expect("o'neil".literal == "'o''neil'")
    #expect("a/b c&d=e;f)(".literal == "'a%2Fb%20c%26d%3De%3Bf%29%28'")
    #expect("ü".literal == "'%C3%BC'")
    #expect("".literal == "''")
    #expect("'".literal == "''''")
  }

  @Test func putsParenthesesAroundEveryOperand() {
    let filter = (ReleaseTable.commit == "a" && ReleaseTable.isFinal == true) || ReleaseTable.id == RowID(7)
    #expect(filter.text == "((commit%20eq%20'a')%20and%20(is_final%20eq%20true))%20or%20(id%20eq%207)")
  }

  @Test func namesLinkedRowsByVariablesOfTheirOwn() {
    let inner = ReleaseTable.tags.any(ReleaseTagTable.key == "version" && ReleaseTagTable.value == "1+2")
    #expect(inner.text == "release_tag/any(x0:(x0/tag_key%20eq%20'version')%20and%20(x0/value%20eq%20'1%2B2'))")
    let nested = ReleaseImageTable.release.any(ReleaseTable.tags.any(ReleaseTagTable.key == "k"))
    #expect(nested.text == "is_part_of__release/any(x0:x0/release_tag/any(x1:x1/tag_key%20eq%20'k'))")
  }

  @Test func asksForExactlyWhatIsDecoded() {
    let options = CloudRelease.shape.options.joined(separator: "&")
    #expect(
      options == """
        $select=id,commit,status,is_final,is_invalidated,raw_version,revision,composition&$expand=\
        release_image($select=id;$expand=image($select=id,status,is_stored_at__image_location,content_hash;\
        $expand=is_a_build_of__service($select=service_name)),image_label($select=label_name,value)),release_tag($select=id,tag_key,value)
        """)
    #expect(ODataTarget<ReleaseTable>.row(RowID(5)).path([]) == "release(5)")
    #expect(
      ODataTarget.matching(ApplicationTable.slug == "o/a").path(["$top=1"]) == "application?$filter=slug%20eq%20'o%2Fa'&$top=1")
    #expect(ODataOrder.ascending(ReleaseTable.id).option == "$orderby=id%20asc")
  }

  @Test func readsALinkAsAnId() throws {
    #expect(try CanonicalJSON.decode(RowID<ReleaseTable>.self, from: #"{"__id":12}"#.utf8) == RowID(12))
    #expect(try CanonicalJSON.decode([RowID<ReleaseTable>].self, from: "[3]".utf8) == [RowID(3)])
  }

  @Test func keepsAnyJSON() throws {
    let text = #"{"a":[1,2.5,true,null,"x"],"b":{"c":-7}}"#
    let value = try CanonicalJSON.decode(BalenaJSON.self, from: text.utf8)
    #expect(String(decoding: try CanonicalJSON.encode(value), as: UTF8.self) == text)
    #expect(value["a"]?.list?[2] == true)
    #expect(value["b"]?["c"]?.labelText == "-7")
  }
}
