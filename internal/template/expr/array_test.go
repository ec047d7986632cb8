package expr

import "testing"

func TestArrays(t *testing.T) {
	checkValues(t, map[string]string{
		"array(1)":                           `[1]`,
		"array('efgh')":                      `["efgh"]`,
		"array(p('object'))":                 `[{"one":"a","two":"b","three":"c"}]`,
		"array(p('array'))":                  `["one","two","three"]`,
		"createArray('a', 'b', 'c')":         `["a","b","c"]`,
		"createArray(1, p('array'), null())": `[1,["one","two","three"],null]`,
		"createArray()":                      `[]`,
		"range(5, 3)":                        `[5,6,7]`,
		"range(0, 0)":                        `[]`,
		"range(-2, 3)":                       `[-2,-1,0]`,
		"range(2147483645, 2)":               `[2147483645,2147483646]`,
		"flatten(createArray(createArray('a'), createArray('b', createArray(1))))": `["a","b",[1]]`,
		"flatten(createArray())":                                              `[]`,
		"indexFromEnd(p('array'), 1)":                                         `"three"`,
		"indexFromEnd(p('array'), 3)":                                         `"one"`,
		"tryGet(p('object'), 'one')":                                          `"a"`,
		"tryGet(p('object'), 'four')":                                         `null`,
		"tryGet(p('object'), 'four', 'five', 0)":                              `null`,
		"tryGet(p('none'), 'x', 'y')":                                         `null`,
		"tryGet(p('array'), 1)":                                               `"two"`,
		"tryGet(p('array'), 10)":                                              `null`,
		"tryGet(p('deep'), 'a', 0, 'b', 'c', 1)":                              `2`,
		"tryGet(createObject('a', null()), 'a', 'b')":                         `null`,
		"tryGet(p('deep'), 'a', createObject('value', 1, 'fromEnd', true()))": `{"b":{"c":[1,2,3]}}`,
		"tryIndexFromEnd(p('array'), 2)":                                      `"two"`,
		"tryIndexFromEnd(p('array'), 4)":                                      `null`,
		"tryIndexFromEnd(p('dogs'), 1, 'name')":                               `"Kira"`,
	})
	checkErrors(t, map[string]string{
		"range(0, 10001)":               "The count must be between 0 and 10000",
		"range(0, -1)":                  "The count must be between 0 and 10000",
		"range(2147483647, 1)":          "no greater than 2147483647",
		"range('a', 1)":                 "expects its first parameter to be an integer",
		"range(1, 'a')":                 "expects its second parameter to be an integer",
		"flatten(createArray('a'))":     "one is of type 'String'",
		"flatten('a')":                  "expects its first parameter to be an array",
		"indexFromEnd(p('array'), 0)":   "out of bounds",
		"indexFromEnd(p('array'), 4)":   "out of bounds",
		"indexFromEnd('abc', 1)":        "expects its first parameter to be an array",
		"indexFromEnd(p('array'), 'x')": "expects its second parameter to be an integer",
		"tryGet(p('deep'), 'a', 5)":     "out of bounds",
	})
}

func TestObjects(t *testing.T) {
	checkValues(t, map[string]string{
		"createObject('intProp', 1, 'stringProp', 'abc', 'boolProp', true(), 'arrayProp', createArray('a', 'b', 'c'), 'objectProp', createObject('key1', 'value1'))": `{"intProp":1,"stringProp":"abc","boolProp":true,"arrayProp":["a","b","c"],"objectProp":{"key1":"value1"}}`,
		"createObject()": `{}`,
		"items(json('{\"item002\":{\"enabled\":false},\"item001\":{\"enabled\":true}}'))":                                                                                      `[{"key":"item001","value":{"enabled":true}},{"key":"item002","value":{"enabled":false}}]`,
		"map(items(json('{\"ghiKey\":1,\"defKey\":1,\"abcKey\":1,\"123Key\":1,\"GHIKey\":1,\"DEFKey\":1,\"ABCKey\":1,\"456Key\":1}')), lambda('i', lambdaVariables('i').key))": `["123Key","456Key","abcKey","ABCKey","defKey","DEFKey","ghiKey","GHIKey"]`,
		"items(createObject())":                                                     `[]`,
		"objectKeys(createObject('b', 1, 'a', 2))":                                  `["a","b"]`,
		"shallowMerge(createArray(createObject('a', 123), createObject('b', 456)))": `{"a":123,"b":456}`,
		"shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('A', createObject('y', 2))))": `{"a":{"y":2}}`,
		"null()":                                 `null`,
		"coalesce(p('none'), null(), 'default')": `"default"`,
	})
	checkErrors(t, map[string]string{
		"createObject('a')":            "expects an even number of parameters",
		"createObject(1, 2)":           "expects its first parameter to be a string",
		"createObject('a', 1, 'A', 2)": "The key 'A' is given more than once",
		"items('a')":                   "expects its first parameter to be an object",
		"objectKeys(createArray())":    "expects its first parameter to be an object",
		"shallowMerge(createObject())": "expects its first parameter to be an array",
		"shallowMerge(createArray(1))": "one is of type 'Integer'",
	})
}

func TestSets(t *testing.T) {
	checkValues(t, map[string]string{
		"union(json('{\"one\":\"a\",\"two\":\"b\",\"three\":\"c1\"}'), json('{\"three\":\"c2\",\"four\":\"d\",\"five\":\"e\"}'))":                                                                           `{"one":"a","two":"b","three":"c2","four":"d","five":"e"}`,
		"union(createArray('one','two','three'), createArray('three','four'))":                                                                                                                              `["one","two","three","four"]`,
		"union(json('{\"property\":{\"one\":\"a\",\"two\":\"b\",\"three\":\"c1\"},\"nestedArray\":[1,2]}'), json('{\"property\":{\"three\":\"c2\",\"four\":\"d\",\"five\":\"e\"},\"nestedArray\":[3,4]}'))": `{"property":{"one":"a","two":"b","three":"c2","four":"d","five":"e"},"nestedArray":[3,4]}`,
		"union(createArray(createArray('one','two'), createArray('three')), createArray(createArray('three'), createArray('four','two')))":                                                                  `[["one","two"],["three"],["four","two"]]`,
		"union(createObject('a', 1), createObject('A', 2))":                                                                                                                                                 `{"a":2}`,
		"union(createArray('a', 'a'), createArray())":                                                                                                                                                       `["a"]`,
		"union(createArray(1), createArray(float(1)))":                                                                                                                                                      `[1]`,
		"p('object')": `{"one":"a","two":"b","three":"c"}`,
		"intersection(json('{\"one\":\"a\",\"two\":\"b\",\"three\":\"c\"}'), json('{\"one\":\"a\",\"two\":\"z\",\"three\":\"c\"}'))": `{"one":"a","three":"c"}`,
		"intersection(createArray('one','two','three'), createArray('two','three'))":                                                 `["two","three"]`,
		"intersection(createArray(1, 2, 3), createArray(2, 3, 4))":                                                                   `[2,3]`,
		"intersection(createArray(1, 1, createArray(2)), createArray(1, createArray(2)), createArray(createArray(2)))":               `[[2]]`,
		"intersection(createArray('aaa'), createArray('bbb'))":                                                                       `[]`,
		"distinct(createArray(3, 1, 3, 'a', 'A', createObject('x', 1), createObject('x', 1)))":                                       `[3,1,"a","A",{"x":1}]`,
	})
	checkErrors(t, map[string]string{
		"union('a', 'b')":                      "expects its first parameter to be an array or an object",
		"union(createArray(), createObject())": "expects its second parameter to be an array",
		"union(createObject(), createArray())": "expects its second parameter to be an object",
		"intersection(createArray(), 'foo')":   "expects its second parameter to be an array",
		"intersection(null(), null())":         "expects its first parameter to be an array or an object",
		"distinct('a')":                        "expects its first parameter to be an array",
	})
}

func TestUnionLeavesItsArgumentsAlone(t *testing.T) {
	checkValues(t, map[string]string{
		"createArray(union(p('object'), createObject('one', 2)), p('object').one)": `[{"one":2,"two":"b","three":"c"},"a"]`,
	})
}

func TestLambdas(t *testing.T) {
	checkValues(t, map[string]string{
		"filter(p('dogs'), lambda('dog', greaterOrEquals(lambdaVariables('dog').age, 5)))":                                    `[{"name":"Evie","age":5,"interests":["Ball","Frisbee"]},{"name":"Kira","age":8,"interests":["Rubs"]}]`,
		"filter(range(0, 10), lambda('i', equals(0, mod(lambdaVariables('i'), 2))))":                                          `[0,2,4,6,8]`,
		"filter(createArray(), lambda('foo', equals('def', lambdaVariables('foo'))))":                                         `[]`,
		"filter(createArray('a','b','c','d'), lambda('item', 'i', equals(mod(lambdaVariables('i'), 2), 0)))":                  `["a","c"]`,
		"map(p('dogs'), lambda('dog', lambdaVariables('dog').name))":                                                          `["Evie","Casper","Indy","Kira"]`,
		"map(p('dogs'), lambda('dog', format('Hello {0}!', lambdaVariables('dog').name)))":                                    `["Hello Evie!","Hello Casper!","Hello Indy!","Hello Kira!"]`,
		"map(range(0, 2), lambda('i', createObject('i', lambdaVariables('i'), 'dog', p('dogs')[lambdaVariables('i')].name)))": `[{"i":0,"dog":"Evie"},{"i":1,"dog":"Casper"}]`,
		"map(createArray('a','b'), lambda('x', 'i', concat(lambdaVariables('x'), lambdaVariables('I'))))":                     `["a0","b1"]`,
		"map(createArray(), lambda('foo', 1))":                                                                                `[]`,
		"map(filter(range(0,4), lambda('i', contains(filter(range(0,4), lambda('j', equals(0, mod(lambdaVariables('j'), 2)))), lambdaVariables('i')))), lambda('x', p('dogs')[lambdaVariables('x')].name))":    `["Evie","Indy"]`,
		"map(range(0,2), lambda('i', map(range(0,2), lambda('j', add(mul(10, lambdaVariables('i')), lambdaVariables('j'))))))":                                                                                 `[[0,1],[10,11]]`,
		"map(range(0,1), lambda('i', map(range(5,1), lambda('i', lambdaVariables('i')))))":                                                                                                                     `[[5]]`,
		"reduce(map(p('dogs'), lambda('dog', lambdaVariables('dog').age)), 0, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))":                                                    `18`,
		"reduce(map(p('dogs'), lambda('dog', lambdaVariables('dog').age)), 1, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))":                                                    `19`,
		"reduce(createArray(createObject('foo', 123), createObject('bar', 456), createObject('baz', 789)), createObject(), lambda('cur', 'next', union(lambdaVariables('cur'), lambdaVariables('next'))))":     `{"foo":123,"bar":456,"baz":789}`,
		"reduce(createArray('abc','def','ghi'), '', lambda('cur', 'next', 'i', if(equals(mod(lambdaVariables('i'), 2), 0), concat(lambdaVariables('cur'), lambdaVariables('next')), lambdaVariables('cur'))))": `"abcghi"`,
		"reduce(createArray(), 0, lambda('cur', 'next', lambdaVariables('cur')))":                                                                                                                              `0`,
		"map(sort(p('dogs'), lambda('a', 'b', less(lambdaVariables('a').age, lambdaVariables('b').age))), lambda('d', lambdaVariables('d').name))":                                                             `["Indy","Casper","Evie","Kira"]`,
		"sort(createArray(8, 3, 10, -13, 5), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))":                                                                                              `[-13,3,5,8,10]`,
		"sort(createArray('ghi', 'abc', 'def'), lambda('x', 'y', greater(lambdaVariables('x'), lambdaVariables('y'))))":                                                                                        `["ghi","def","abc"]`,
		"sort(createArray(), lambda('x', 'y', true()))":                                                                                                                                                            `[]`,
		"sort(createArray(1, 2, 3), lambda('x', 'y', false()))":                                                                                                                                                    `[1,2,3]`,
		"toObject(p('dogs'), lambda('e', lambdaVariables('e').name), lambda('e', lambdaVariables('e').age))":                                                                                                       `{"Evie":5,"Casper":3,"Indy":2,"Kira":8}`,
		"toObject(createArray(123, 456, 789), lambda('i', format('{0}', div(lambdaVariables('i'), 100))))":                                                                                                         `{"1":123,"4":456,"7":789}`,
		"groupBy(json('[{\"type\":\"a\",\"value\":123},{\"type\":\"b\",\"value\":456},{\"type\":\"a\",\"value\":789}]'), lambda('arg', lambdaVariables('arg').type))":                                              `{"a":[{"type":"a","value":123},{"type":"a","value":789}],"b":[{"type":"b","value":456}]}`,
		"groupBy(json('[{\"type\":\"a\",\"value\":123},{\"type\":\"b\",\"value\":456},{\"type\":\"a\",\"value\":789}]'), lambda('arg', lambdaVariables('arg').type), lambda('arg', lambdaVariables('arg').value))": `{"a":[123,789],"b":[456]}`,
		"mapValues(createObject('a', 123, 'b', 456), lambda('val', mul(lambdaVariables('val'), 2)))":                                                                                                               `{"a":246,"b":912}`,
	})
	checkErrors(t, map[string]string{
		"lambda('x', 1)":         "The template function 'lambda' is not expected at this location",
		"concat(lambda('x', 1))": "The template function 'lambda' is not expected at this location",
		"lambdaVariables('x')":   "The template lambda variable 'x' is not found",
		"lambdaVariables(1)":     "expects its first parameter to be a string",
		"map(range(0,1), lambda('x', lambdaVariables('y')))": "The template lambda variable 'y' is not found",
		"map(range(0,1), 1)":                                   "The template language function 'map' expects its second parameter to be a lambda function",
		"map(range(0,1), string('x'))":                         "to be a lambda function",
		"map(range(0,1), lambda(1))":                           "of 1 to 2 parameters. The provided one has 0",
		"map(range(0,1), lambda('a', 'b', 'c', 1))":            "The provided one has 3",
		"map(range(0,1), lambda(1, 2))":                        "expects the names of its parameters to be strings",
		"map(range(0,1), lambda(string('x'), 2))":              "expects the names of its parameters to be strings",
		"map('abc', lambda('x', 1))":                           "expects its first parameter to be an array",
		"map(range(0,1), lambda('x', p('none').y))":            "its object is null",
		"filter('abc', lambda('x', true()))":                   "expects its first parameter to be an array",
		"filter(range(0,1), lambda('x', 1))":                   "The template language function 'filter' expects its lambda function to return a boolean. The returned value is of type 'Integer'.",
		"filter(range(0,1), 'x')":                              "to be a lambda function",
		"sort(range(0,2), lambda('x', true()))":                "of 2 to 2 parameters. The provided one has 1",
		"sort(range(0,2), lambda('x', 'y', 1))":                "to return a boolean",
		"sort(1, lambda('x', 'y', true()))":                    "expects its first parameter to be an array",
		"reduce(range(0,2), 0, lambda('x', 1))":                "of 2 to 3 parameters",
		"reduce(1, 0, lambda('x', 'y', 1))":                    "expects its first parameter to be an array",
		"reduce(range(0,2), p('none').x, lambda('x', 'y', 1))": "its object is null",
		"reduce(range(0,2), 0, lambda('x', 'y', p('none').z))": "its object is null",
		"toObject(range(0,2), lambda('x', 'same'))":            "The key 'same' is returned more than once",
		"toObject(range(0,2), lambda('x', createArray()))":     "expects its key lambda function to return a string. The returned value is of type 'Array'",
		"toObject(range(0,2), lambda('x', 'a'), 1)":            "expects its third parameter to be a lambda function",
		"toObject(range(0,2), 1)":                              "expects its second parameter to be a lambda function",
		"toObject(1, lambda('x', 'a'))":                        "expects its first parameter to be an array",
		"groupBy(range(0,2), lambda('x', null()))":             "The returned value is of type 'Null'",
		"mapValues(range(0,2), lambda('x', 1))":                "expects its first parameter to be an object",
		"mapValues(createObject(), 1)":                         "expects its second parameter to be a lambda function",
	})
}
