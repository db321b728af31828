// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model
import Testing

@testable import KubeServer

@Suite("expressions")
struct ExpressionTests {
    private static let schema = StructuralSchema([
        "type": "object",
        "properties": [
            "n": ["type": "integer"], "d": ["type": "number"], "s": ["type": "string"], "b": ["type": "boolean"],
            "at": ["type": "string", "format": "date-time"], "for": ["type": "string", "format": "duration"],
            "l": ["type": "array", "items": ["type": "string"]],
            "set": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "integer"]],
            "m": ["type": "object", "additionalProperties": ["type": "integer"]], "x-y": ["type": "string"],
            "namespace": ["type": "string"], "port": ["x-kubernetes-int-or-string": true],
            "o": [
                "type": "array",
                "items": ["type": "object", "properties": ["k": ["type": "string"], "v": ["type": "integer"]]],
            ], "any": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        ],
    ])

    private static let object: JSON = [
        "n": 5, "d": 2.5, "s": "héllo", "b": true, "at": "2026-11-23T10:00:00Z", "for": "1h30m", "l": ["a", "b", "c"],
        "set": [3, 1], "m": ["x": 1, "y": 2], "x-y": "dash", "namespace": "ns", "port": "http",
        "o": [["k": "a", "v": 1], ["k": "b", "v": 2]], "any": ["z": [1, 2.5, "t"]],
    ]

    private func evaluate(_ text: String) throws -> ExpressionValue {
        let expression = try ExpressionParser.parse(text)
        _ = try ExpressionChecker().check(expression, ["self": ExpressionType(Self.schema)])
        var evaluator = ExpressionEvaluator()
        return try evaluator.evaluate(expression, ["self": ExpressionValue(Self.object, Self.schema)])
    }

    @Test(
        "are true where the language says so",
        arguments: [
            // Operators and their ranks.
            "1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "-3 + 5 == 2", "7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1",
            "1 < 2 == true",
            "!false && !!true", "true ? 1 == 1 : 1 == 2", "false ? false : true ? true : false", "1 < 1.5", "2u > 1",
            "dyn(1) == dyn(1.0)", "0x1F == 31", "-9223372036854775808 < 0", "1e3 == 1000.0", ".5 + 0.5 == 1.0",
            "\"a\" + 'b' == \"ab\"", "[1] + [2] == [1, 2]", "{'a': 1}.a == 1 && {'a': 1}['a'] == 1", "'a' in {'a': 1}",
            "2 in [1, 2] && !(3 in [1, 2])", "b'ab' == bytes('ab')", "r'\\d' == '\\\\d'",
            "'\\u00e9' == 'é' && '\\x41' == 'A'",
            "'''a'b''' == \"a'b\"", "1 == 1 // and a remark",
            // One side settles the matter even where the other fails.
            "1 / 0 == 1 || true", "true || 1 / 0 == 1", "!(false && 1 / 0 == 1)", "[0, 1].exists(x, 1 / x == 1)",
            // Fields.
            "self.n == 5 && self.d == 2.5 && self.b", "has(self.n) && !has(self.m.z)", "self.x__dash__y == 'dash'",
            "self.__namespace__ == 'ns'", "self.m.x == 1 && self.m['y'] == 2", "self.port == 'http'",
            "self.any.z[1] == 2.5", "self.?n.orValue(0) == 5 && self.m.?zz.orValue(7) == 7",
            "!self.m[?'zz'].hasValue()",
            "self.o[1].k == 'b'", "type(self.n) == int && type(self.s) == string",
            // Macros.
            "self.l.all(x, x.size() == 1)", "self.o.exists(e, e.k == 'b' && e.v > 1)", "self.o.exists_one(e, e.v == 1)",
            "self.l.map(x, x + '!') == ['a!', 'b!', 'c!']", "self.o.filter(e, e.v > 1).map(e, e.k) == ['b']",
            "[1, 2, 3].map(x, x > 1, x * 2) == [4, 6]", "self.m.all(k, k in ['x', 'y'])",
            "self.l.all(i, v, i < 3 && v != '')",
            "self.m.exists(k, v, k == 'y' && v == 2)", "cel.bind(k, self.n * 2, k + k == 20)",
            // Texts count characters.
            "size(self.s) == 5 && self.s.size() == 5", "self.s.startsWith('hé') && self.s.endsWith('llo')",
            "self.s.contains('éll') && self.s.matches('^h.l+o$') && !'ab'.matches('^b')", "self.s.indexOf('l') == 2",
            "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
            "'abcd'.substring(1, 3) == 'bc'",
            "'a-b-c'.replace('-', '+') == 'a+b+c' && 'a-b-c'.replace('-', '+', 1) == 'a+b-c'", "' x '.trim() == 'x'",
            "'aB'.lowerAscii() == 'ab' && 'aB'.upperAscii() == 'AB'", "['a', 'b'].join('/') == 'a/b'",
            "'abc'.charAt(1) == 'b'",
            "'abab'.lastIndexOf('ab') == 2",
            // Lists and sets.
            "self.set == [1, 3]", "(self.set + [3, 4]).size() == 3",
            "[1, 2].isSorted() && [3, 1].max() == 3 && [1, 2].sum() == 3",
            "sets.contains([1, 2], [2]) && sets.equivalent([1, 1, 2], [2, 1]) && sets.intersects([1], [1, 2])",
            // Conversions, times, amounts.
            "int('12') == 12 && string(5) == '5' && double('1.5') == 1.5 && uint(3) == 3u && int(2.9) == 2",
            "self.for == duration('90m') && self.for.getMinutes() == 90", "self.at + duration('1h') > self.at",
            "timestamp('2026-11-23T10:00:00Z') == self.at",
            "self.at - timestamp('2026-11-23T09:00:00Z') == duration('1h')",
            "quantity('1Gi').isGreaterThan(quantity('1G')) && isQuantity('5m') && !isQuantity('five')",
            "quantity('500m').add(quantity('1')).compareTo(quantity('1500m')) == 0",
            "string(1.5) == '1.5' && string(100.0) == '100' && string(1234567.0) == '1.234567e+06'",
            "string(-0.00001) == '-1e-05' && string(0.0001) == '0.0001' && string(0.0) == '0'",
            "string(duration('10us')) == '0.00001s' && string(duration('90m')) == '5400s'",
            "string(duration('-1500ms')) == '-1.5s'",
            "'aaa'.replace('a', 'b', 9223372036854775807) == 'bbb' && 'aa'.replace('a', 'b', 0) == 'aa'",
            "[[1, 2], [2], [1.0, 2]].distinct().size() == 2 && [{'a': 1}, {'a': 1.0}].distinct().size() == 1",
            "[duration('1s'), duration('2s')].sum() == duration('3s')",
            "self.at.getHours() == 10 && self.at.getFullYear() == 2026 && self.at.getMonth() == 10",
            "self.at.getDate() == 23 && self.at.getDayOfMonth() == 22 && self.at.getDayOfWeek() == 1",
            "self.at.getDayOfYear() == 326 && self.at.getMinutes('-02:30') == 30 && self.at.getHours('+14:00') == 0",
            "timestamp('2026-01-01T00:00:00.25Z').getMilliseconds() == 250",
        ]
    )
    func holds(_ text: String) throws {
        guard case .bool(let result) = try evaluate(text) else {
            Issue.record("no boolean: \(text)")
            return
        }
        #expect(result, "\(text)")
    }

    @Test(
        "fail with the real interpreter's words",
        arguments: [
            ("self.m.z == 1", "no such key: z"), ("self.m['z'] == 1", "no such key: z"),
            ("1 / 0 == 1", "division by zero"),
            ("1 % 0 == 1", "modulus by zero"), ("9223372036854775807 + 1 == 0", "integer overflow"),
            ("self.l[7] == 'a'", "index out of bounds: 7"), ("self.port > 5", "no such overload"),
            ("int('x') == 1", "type conversion error from 'string' to 'int'"),
            ("uint(-1) == 1u", "unsigned integer overflow"), ("{'a': 1, 'a': 2}.a == 1", "Failed with repeated key: a"),
            ("timestamp('9999-01-01T00:00:00Z') + duration('10000h') > self.at", "timestamp overflow"),
            ("['a', 'b'].sum() == 'ab'", "no such overload"),
            ("duration('9000000000s') + duration('9000000000s') > duration('0')", "integer overflow"),
            ("duration('-9000000000s') - duration('9000000000s') > duration('0')", "integer overflow"),
            (
                "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, "
                    + "[1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))",
                "operation cancelled: actual cost limit exceeded"
            ),
        ]
    )
    func fails(text: String, message: String) throws {
        let fault = #expect(throws: ExpressionFault.self) { try evaluate(text) }
        #expect(fault?.message == message)
    }

    @Test(
        "are refused where they can never be right",
        arguments: [
            ("self.nn == 1", "ERROR: <input>:1:5: undefined field 'nn'\n | self.nn == 1\n | ....^"),
            (
                "other.n == 1",
                "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other.n == 1\n | ^"
            ),
            (
                "self.s <= self.n",
                "ERROR: <input>:1:8: found no matching overload for '_<=_' applied to '(string, int)'\n | self.s <= self.n\n"
                    + " | .......^"
            ),
            (
                "self.n == 'a'",
                "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n"
                    + " | self.n == 'a'\n | .......^"
            ),
            (
                "self.n.all(x, true)",
                "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension "
                    + "(must be list, map, or dynamic)\n | self.n.all(x, true)\n | ....^"
            ),
            ("foo(1)", "ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n | foo(1)\n | ...^"),
            ("has(self)", "ERROR: <input>:1:5: invalid argument to has() macro\n | has(self)\n | ....^"),
        ]
    )
    func refused(text: String, message: String) throws {
        let problem = #expect(throws: ExpressionProblem.self) { try evaluate(text) }
        #expect(problem?.text(in: text) == message)
        #expect(problem?.isUnsupported == false)
    }

    @Test(
        "are refused where they are no expressions",
        arguments: [
            "", "1 +", "self.", "(1", "[1", "{1", "a b", "'open", "1 ? 2", "for == 1", "&& true", "self.n === 1",
            "a.'b'",
            "99999999999999999999 == 1", "'\\q' == ''", "'\\u+041' == 'A'", ".(1) == 1", "..self.b", "#", "self[",
            "x.map(1, 2)", "{'a' 1}", "\"a\nb\" == ''",
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: ExpressionProblem.self) { try ExpressionParser.parse(text) }
    }

    @Test("nest only so deep, and take odd texts without harm")
    func hostile() throws {
        for text in [
            String(repeating: "(", count: 5000), String(repeating: "!", count: 5000) + "true",
            String(repeating: "[", count: 5000), "self" + String(repeating: ".a", count: 5000),
            String(repeating: "-", count: 5000) + "1", String(repeating: "{1:", count: 5000),
            String(repeating: ".", count: 90_000) + "a", "1" + String(repeating: "+1", count: 40_000),
            "1" + String(repeating: " in 1", count: 15_000), "a" + String(repeating: "[0]", count: 30_000),
            "a" + String(repeating: ".f()", count: 20_000),
        ] {
            #expect(throws: ExpressionProblem.self) { try ExpressionParser.parse(text) }
        }
        let whole =
            "self.l.all(x, x.size() == 1) && self.m['a'] ? b'a' == r'\\d' : [?self.?n, 1.5e3][0u] in {'a': 0x1F}"
        let scalars = Array(whole.unicodeScalars)
        for end in scalars.indices {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[..<end])
            _ = try? ExpressionParser.parse(String(view))
            view.append(contentsOf: scalars[(end + 1)...])
            _ = try? ExpressionParser.parse(String(view))
        }
    }

    @Test("take a chain of conditions of any length")
    func chains() throws {
        for (sign, outcome) in [("&&", "true"), ("||", "false")] {
            let text = Array(repeating: outcome, count: 10_000).joined(separator: sign)
            guard case .bool(let result) = try evaluate(text) else {
                Issue.record("no boolean")
                return
            }
            #expect("\(result)" == outcome)
        }
        // The first fault is told, wherever it stands in the chain.
        let fault = #expect(throws: ExpressionFault.self) { try evaluate("true && 1/0 == 1 && 1%0 == 1 && true") }
        #expect(fault?.message == "division by zero")
    }

    @Test("values that grow with every step cost more than a rule may, not all the memory")
    func growth() throws {
        for (seed, step) in [
            ("[1, 1]", "[x, x]"), ("{'a': 1}", "{'a': x, 'b': x}"), ("'aa'", "x + x"), ("[1]", "x + x"),
        ] {
            let steps = Array(repeating: step, count: 39)
            let text =
                ([seed] + steps).map { "cel.bind(x, \($0), " }.joined() + "x == x" + String(repeating: ")", count: 40)
            let fault = #expect(throws: ExpressionFault.self) { try evaluate(text) }
            #expect(fault?.isExhausted == true)
        }
    }

    @Test(
        "what this server does not know is told apart from what nobody knows",
        arguments: ["isURL(self.s)", "ip(self.s) == ip('::1')"]
    )
    func unsupported(_ text: String) throws {
        let problem = #expect(throws: ExpressionProblem.self) { try evaluate(text) }
        #expect(problem?.isUnsupported == true)
    }
}
