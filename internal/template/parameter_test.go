package template

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lazuli/internal/template/jsonc"
)

// TestParameterChecks has values for a parameter x, and a part of what is said
// of those that are wrong; nothing is said of the others.
func TestParameterChecks(t *testing.T) {
	definitions := `"definitions": {
		"port": {"type": "int", "minValue": 1, "maxValue": 65535},
		"nic": {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}, "port": {"$ref": "#/definitions/port", "nullable": true}}, "additionalProperties": false},
		"tree": {"type": "object", "properties": {"left": {"$ref": "#/definitions/tree", "nullable": true}}},
		"cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "int"}}},
		"dog": {"type": "object", "properties": {"kind": {"type": "string"}, "tricks": {"type": "array", "items": {"type": "string"}}}}},`
	for _, tt := range []struct{ schema, value, want string }{
		{`"type": "string"`, `"a"`, ""},
		{`"metadata": {}`, `"a"`, "The type '' is not one of"},
		{`"type": "object", "properties": {"any": {}}, "additionalProperties": {}`, `{"any": 1, "more": []}`, ""},
		{`"type": "String"`, `1`, "Template parameter JToken type is not valid. Expected 'String, Uri'. Actual 'Integer'. Please see https://aka.ms/resource-manager-parameter-files for usage details."},
		{`"type": "securestring"`, `"a"`, ""},
		{`"type": "int"`, `1.5`, "Expected 'Integer'. Actual 'Float'"},
		{`"type": "bool"`, `true`, ""},
		{`"type": "bool"`, `"true"`, "Expected 'Boolean'. Actual 'String'"},
		{`"type": "object"`, `{}`, ""},
		{`"type": "secureObject"`, `[]`, "Expected 'Object'. Actual 'Array'"},
		{`"type": "array"`, `[1, "a"]`, ""},
		{`"type": "array"`, `{}`, "Expected 'Array'. Actual 'Object'"},
		{`"type": "string", "allowedValues": ["a", "b"]`, `"b"`, ""},
		{`"type": "string", "allowedValues": ["a", "b"]`, `"c"`, "The provided value for the template parameter 'x' at line '1' and column '20' is not valid. The value 'c' is not part of the allowed value(s): 'a,b'. Please see https://aka.ms/arm-syntax-parameters for usage details."},
		{`"type": "string", "allowedValues": ["a", "b"]`, `"A"`, "not part of the allowed value(s)"},
		{`"type": "securestring", "allowedValues": ["a"]`, `"hunter2"`, "The parameter value is not part of the allowed value(s). Please"},
		{`"type": "int", "allowedValues": []`, `3`, ""},
		{`"type": "int", "allowedValues": [1, 2]`, `3`, "The value '3' is not part of the allowed value(s): '1,2'"},
		{`"type": "array", "allowedValues": ["a", "b"]`, `["b", "a"]`, ""},
		{`"type": "array", "allowedValues": ["a", "b"]`, `["c"]`, `The value '["c"]' is not part`},
		{`"type": "array", "allowedValues": [["a"], ["b"]]`, `["b"]`, ""},
		{`"type": "object", "allowedValues": [{"a": 1}]`, `{"a": "` + strings.Repeat("x", 200) + `"}`, "…' is not part"},
		{`"type": "string", "maxLength": 6`, `"abcdef"`, ""},
		{`"type": "string", "maxLength": 6`, `"abcdefg"`, "The provided value for the template parameter 'x' at line '1' and column '20' is not valid. Length of the value should be less than or equal to '6'. Please see https://aka.ms/arm-syntax-parameters for usage details."},
		{`"type": "string", "minLength": 2`, `"a"`, "Length of the value should be greater than or equal to '2'"},
		{`"type": "array", "minLength": 1`, `[]`, "Length of the value should be greater than or equal to '1'"},
		{`"type": "array", "maxLength": 1`, `[1, 2]`, "Length of the value should be less than or equal to '1'"},
		{`"type": "int", "minValue": 1, "maxValue": 3`, `2`, ""},
		{`"type": "int", "minValue": 1`, `0`, "The value should be greater than or equal to '1'"},
		{`"type": "int", "maxValue": 3`, `4`, "The value should be less than or equal to '3'"},
		{`"type": "int", "minValue": null`, `4`, ""},
		{`"type": "string", "nullable": true`, `null`, ""},
		{`"type": "string"`, `null`, "The value for the template parameter 'x' at line '1' and column '20' is not provided"},
		{`"type": "int", "defaultValue": 5`, `null`, ""},
		{`"$ref": "#/definitions/port"`, `80`, ""},
		{`"$ref": "#/definitions/port"`, `0`, "should be greater than or equal to '1'"},
		{`"$ref": "#/definitions/port", "minValue": 0`, `0`, ""},
		{`"$ref": "#/definitions/nope"`, `0`, "The type '' is not one of"},
		{`"$ref": 1`, `0`, "The type '' is not one of"},
		{`"$ref": "#/definitions/nic"`, `{"name": "ab"}`, ""},
		{`"$ref": "#/definitions/nic"`, `{"name": "ab", "port": null}`, ""},
		{`"$ref": "#/definitions/nic"`, `{}`, "The value is missing its required property 'name'"},
		{`"$ref": "#/definitions/nic"`, `{"name": "a"}`, "Length of the value should be greater than or equal to '2' (at '.name')"},
		{`"$ref": "#/definitions/nic"`, `{"name": "ab", "port": 70000}`, "should be less than or equal to '65535' (at '.port')"},
		{`"$ref": "#/definitions/nic"`, `{"name": "ab", "x": 1}`, "The following properties are not supported: 'x'"},
		{`"type": "array", "items": {"$ref": "#/definitions/nic"}`, `[{"name": "ab"}, {"name": 1}]`, "Expected 'String, Uri'. Actual 'Integer' (at '[1].name')"},
		{`"type": "object", "sealed": true`, `{"x": 1}`, "not supported: 'x'"},
		{`"type": "object", "additionalProperties": {"type": "int"}`, `{"x": 1, "y": "a"}`, "Expected 'Integer'. Actual 'String' (at '.y')"},
		{`"type": "object", "properties": {"x": "not a type"}`, `{"x": 1}`, ""},
		{`"$ref": "#/definitions/tree"`, `{"left": {"left": {"left": null}}}`, ""},
		{`"$ref": "#/definitions/tree"`, `{"left": {"left": 1}}`, "Actual 'Integer' (at '.left.left')"},
		{`"type": "array", "prefixItems": [{"type": "int"}, {"type": "string"}], "items": false`, `[1, "a"]`, ""},
		{`"type": "array", "prefixItems": [{"type": "int"}, {"type": "string"}], "items": false`, `[1, "a", 2]`, "no more than '2' elements"},
		{`"type": "array", "prefixItems": [{"type": "int"}, {"type": "string"}]`, `[1]`, "at least '2' elements"},
		{`"type": "array", "prefixItems": [{"type": "int"}], "items": {"type": "bool"}`, `[1, "x"]`, "Expected 'Boolean'"},
		{`"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}, "dog": {"$ref": "#/definitions/dog"}}}`, `{"kind": "dog", "tricks": ["roll"]}`, ""},
		{`"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}, "dog": {"$ref": "#/definitions/dog"}}}`, `{"kind": "cat", "lives": "9"}`, "Expected 'Integer'"},
		{`"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}}}`, `{"kind": "cow"}`, "The value of the property 'kind' is not one of 'cat'"},
	} {
		t.Run(tt.schema+" "+tt.value, func(t *testing.T) {
			template := fmt.Sprintf(`{"parameters":{"x":{%s}}, %s "resources": []}`, tt.schema, definitions)
			_, err := tryPlan(template, testInput(fmt.Sprintf(`{"x": {"value": %s}}`, tt.value)))
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestSecretsAreNotShown looks for a secret in everything that a deployment
// shows of its parameters and outputs.
func TestSecretsAreNotShown(t *testing.T) {
	in := testInput(`{"password": {"value": "hunter2"}, "keys": {"value": {"k": "hunter2"}}, "plain": {"value": "seen"},
		"mixed": {"value": {"user": "bob", "password": "hunter2", "more": ["hunter2"], "any": {"x": "hunter2"}, "pet": {"kind": "cat", "name": "hunter2"}}}}`)
	p := plan(t, `{
		"definitions": {"pass": {"type": "securestring"}, "cat": {"type": "object", "properties": {"kind": {"type": "string"}, "name": {"$ref": "#/definitions/pass"}}}},
		"parameters": {"password": {"type": "secureString"}, "keys": {"type": "secureobject"}, "plain": {"type": "string"},
			"unset": {"type": "int", "nullable": true}, "made": {"type": "array", "defaultValue": [1]},
			"mixed": {"type": "object", "properties": {"user": {"type": "string"}, "password": {"$ref": "#/definitions/pass"},
				"more": {"type": "array", "prefixItems": [{"type": "securestring"}]}, "pet": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}}}}},
				"additionalProperties": {"type": "secureobject"}}},
		"resources": [{"type": "A.B/c", "name": "x", "apiVersion": "1", "properties": {"p": "[parameters('password')]"}}],
		"outputs": {"o": {"type": "securestring", "value": "[parameters('password')]"}, "m": {"type": "string", "value": "[parameters('plain')]"}}}`, in)
	shown := string(jsonc.Append(nil, p.Parameters()))
	if want := `{"password":{"type":"SecureString"},"keys":{"type":"SecureObject"},"plain":{"type":"String","value":"seen"},"unset":{"type":"Int","value":null},"made":{"type":"Array","value":[1]},"mixed":{"type":"Object","value":{"user":"bob","more":[null],"pet":{"kind":"cat"}}}}`; shown != want {
		t.Errorf("got  %s\nwant %s", shown, want)
	}
	out, err := p.Outputs(context.Background(), &world{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(jsonc.Append(nil, out)), `{"o":{"type":"SecureString"},"m":{"type":"String","value":"seen"}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := bodies(t, p, &world{})["x"]; got != `{"properties":{"p":"hunter2"}}` {
		t.Errorf("the resource itself got %s", got)
	}
}

func TestAnyType(t *testing.T) {
	p := plan(t, `{"languageVersion": "2.0", "parameters": {"a": {}, "b": {}, "c": {"allowedValues": [1, "x"]}}, "resources": {}, "outputs": {"o": {"value": "[parameters('b')]"}}}`,
		testInput(`{"a": {"value": {"x": 1}}, "b": {"value": [true]}, "c": {"value": "x"}}`))
	if got, want := string(jsonc.Append(nil, p.Parameters())), `{"a":{"type":"Object","value":{"x":1}},"b":{"type":"Array","value":[true]},"c":{"type":"String","value":"x"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	out, err := p.Outputs(t.Context(), &world{})
	if got, want := string(jsonc.Append(nil, out)), `{"o":{"type":"Array","value":[true]}}`; got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestSecretsAreRead(t *testing.T) {
	in := testInput(`{"a": {"reference": {"keyVault": {"id": "/v"}, "secretName": "n"}}}`)
	in.Secret = func(_ context.Context, reference *jsonc.Object) (string, error) {
		name, _ := reference.Get("secretName")
		return "secret " + name.(string), nil
	}
	p := plan(t, `{"parameters": {"a": {"type": "securestring"}}, "resources": [
		{"type": "A.B/c", "name": "x", "apiVersion": "1", "p": "[parameters('a')]"}]}`, in)
	if got := bodies(t, p, &world{})["x"]; got != `{"p":"secret n"}` {
		t.Error(got)
	}
}

func TestValuesAreTakenAsTheyAre(t *testing.T) {
	p := plan(t, `{"parameters": {"a": {"type": "string"}, "b": {"type": "string", "defaultValue": "[[x]"}}, "resources": [
		{"type": "A.B/c", "name": "x", "apiVersion": "1", "a": "[parameters('a')]", "b": "[parameters('b')]"}]}`, testInput(`{"a": {"value": "[concat('no')]"}}`))
	if got := bodies(t, p, &world{})["x"]; got != `{"a":"[concat('no')]","b":"[x]"}` {
		t.Error(got)
	}
}
