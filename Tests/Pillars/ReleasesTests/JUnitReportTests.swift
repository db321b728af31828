// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Testing

@testable import Releases

@Suite("reports in JUnit's XML")
struct JUnitReportTests {
    private func read(_ text: String) throws -> TestReport { try JUnitReport.read(Array(text.utf8)) }

    @Test("cases are counted, not what suites say of themselves")
    func counting() throws {
        let report = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE testsuites [ <!ELEMENT testsuites (testsuite*)> ]>
            <testsuites tests="99">
              <testsuite name="cart" tests="2" failures="1"><!-- a > b -->
                <properties><property name="x" value="&lt;y&gt;"/></properties>
                <testcase classname="Cart" name="adds &quot;one&quot;" time="0.1"/>
                <testcase classname="Cart" name="totals"><failure message="expected 3&#10;got 4" type="E">trace</failure>
                  <system-out><![CDATA[<failure/> is no failure here]]></system-out></testcase>
                <testsuite name="inner">
                  <testcase name="later"><skipped/></testcase>
                  <testcase classname="G" name="off" status="notrun"/>
                  <testcase classname="Cart" name="breaks"><error>

                    at line 7
                    at line 8</error></testcase>
                </testsuite>
              </testsuite>
            </testsuites>
            """
        )
        #expect(report.counts == TestCounts(total: 5, failed: 2, skipped: 2))
        #expect(report.failures == ["Cart.totals: expected 3", "Cart.breaks: at line 7"])
        #expect(report.counts.words == "1 test passed, 2 failed, 2 skipped")
    }

    @Test("suites without cases count by their own numbers, and a broken set-up counts beside the cases")
    func claims() throws {
        #expect(
            try read(#"<testsuite tests="4" failures="1" errors="1" skipped="1"/>"#).counts
                == TestCounts(total: 4, failed: 2, skipped: 1)
        )
        #expect(
            try read(#"<testsuite tests="1" errors="1"><testcase name="a"/></testsuite>"#).counts
                == TestCounts(total: 2, failed: 1)
        )
        #expect(try read("<testsuites/>").counts == TestCounts())
    }

    @Test("a test that passed in the end is no failure")
    func reruns() throws {
        let text =
            #"<testsuite><testcase name="a"><flakyFailure message="x"/></testcase><testcase name="b"/></testsuite>"#
        #expect(try read(text).counts == TestCounts(total: 2))
    }

    @Test("the first failures are named, the rest is counted")
    func many() throws {
        let cases = (1...50).map { #"<testcase name="t\#($0)"><failure/></testcase>"# }.joined()
        let report = try read("<testsuite>\(cases)</testsuite>")
        #expect(report.counts.failed == 50 && report.failures.count == 20 && report.failures[0] == "t1")
    }

    @Test(
        "what is cut off or is no report is refused with the place",
        arguments: [
            ("", "there is no element"), ("{}", "text outside of any element"),
            ("<testsuite><testcase name='a'/>", "ends inside of 'testsuite'"),
            ("<testsuite><testcase name='a'", "ends inside of a tag"), ("<html></html>", "'html' is no JUnit report"),
            ("<testsuite></testcase></testsuite>", "'</testcase>' ends nothing"),
            ("<testsuite a=1/>", "a value without quotes"), ("<testsuite a='1/>", "a value that does not end"),
            ("<testsuite><![CDATA[x</testsuite>", "']]>' is missing"), ("<testsuite/><testsuite/>", "a second root"),
            ("<testsuite>&x</testsuite>", "'&' begins no entity"),
            ("<testsuite><!x", "a declaration that does not end"),
        ]
    )
    func malformed(_ text: String, _ words: String) {
        #expect { try read(text) } throws: { "\($0)".contains(words) }
    }

    @Test("every beginning of a report is read or refused, and never crashes")
    func prefixes() throws {
        let text = Array(
            #"﻿<?xml?><a:testsuite x='&#x41;&bad;'><testcase name="ü"><![CDATA[]]></testcase></a:testsuite>"#.utf8
        )
        for count in 0..<text.count { #expect(throws: XMLError.self) { try JUnitReport.read(Array(text[..<count])) } }
        #expect(try JUnitReport.read(text).counts.total == 1)
    }
}
