package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/template/jsonc"
)

// resources is a template of just these.
func resources(list string) string { return `{"resources": [` + list + `]}` }

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct{ template, parameters, want string }{
		"no JSON":            {"{", "", "Deployment template parse failed: 'unexpected end when reading JSON"},
		"no object":          {"[]", "", "Deployment template parse failed: 'the template is not a JSON object'."},
		"no resources":       {`{}`, "", "missing its required property 'resources'"},
		"strange section":    {`{"resources": [], "resource": [1]}`, "", "Could not find member 'resource' on object of type 'Template'"},
		"extensions":         {`{"resources": [], "extensions": {"k": {}}}`, "", "Could not find member 'extensions'"},
		"language version":   {`{"resources": [], "languageVersion": "9.9"}`, "", "The template language version is not supported"},
		"resources is text":  {`{"resources": "x"}`, "", "must be an array or an object"},
		"resource is text":   {resources(`"x"`), "", "must be a JSON object"},
		"parameters is list": {`{"resources": [], "parameters": []}`, "", "section 'parameters' must be a JSON object"},
		"definitions":        {`{"resources": [], "definitions": []}`, "", "section 'definitions' must be a JSON object"},
		"variables is list":  {`{"resources": [], "variables": []}`, "", "section 'variables' must be a JSON object"},
		"outputs is list":    {`{"resources": [], "outputs": []}`, "", "section 'outputs' must be a JSON object"},
		"copy is text":       {`{"resources": [], "variables": {"copy": "x"}}`, "", "'copy' that is not an array"},
		"functions is text":  {`{"resources": [], "functions": "x"}`, "", "section 'functions' must be an array"},
		"no namespace":       {`{"resources": [], "functions": [{"members": {}}]}`, "", "must have a namespace"},
		"no output":          {`{"resources": [], "functions": [{"namespace": "n", "members": {"f": {}}}]}`, "", "'n.f' at line '1' and column '69' must have an output with a value"},
		"function parameters": {`{"resources": [], "functions": [{"namespace": "n", "members": {"f": {"parameters": 1, "output": {"value": 1}}}}]}`, "",
			"parameters of the template function 'n.f' must be an array"},

		"strange parameter": {`{"resources": [], "parameters": {"a": {"type": "int", "defaultValue": 1}, "b": {"type": "int", "defaultValue": 1}}}`, `{"x": {"value": 1}, "y": {"value": 1}}`,
			"Deployment template validation failed: 'The template parameters 'x, y' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are 'a, b'. Please see https://aka.ms/arm-pass-parameter-values for usage details.'."},
		"missing parameter": {"{\"resources\": [], \"parameters\": {\n  \"pw\": {\"type\": \"securestring\"}}}", "",
			"Deployment template validation failed: 'The value for the template parameter 'pw' at line '2' and column '9' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.'."},
		"parameter is text":                 {`{"resources": [], "parameters": {"a": "x"}}`, "", "template parameter 'a' at line '1' and column '41' must be a JSON object"},
		"value without object":              {`{"resources": [], "parameters": {"a": {"type": "int"}}}`, `{"a": 1}`, "must be a JSON object with a 'value' or a 'reference'"},
		"parameter type":                    {`{"resources": [], "parameters": {"a": {"type": "int"}}}`, `{"a": {"value": "1"}}`, "Deployment template validation failed: 'Template parameter JToken type is not valid. Expected 'Integer'. Actual 'String'. Please see https://aka.ms/resource-manager-parameter-files for usage details.'."},
		"no such parameter type":            {`{"resources": [], "parameters": {"a": {"type": "text"}}}`, `{"a": {"value": "1"}}`, "The type 'text' is not one of"},
		"default of itself":                 {`{"resources": [], "parameters": {"a": {"type": "int", "defaultValue": "[parameters('b')]"}, "b": {"type": "int", "defaultValue": "[parameters('a')]"}}}`, "", "Circular dependency detected on template parameter 'a'"},
		"default with a variable of itself": {`{"resources": [], "variables": {"v": "[parameters('a')]"}, "parameters": {"a": {"type": "int", "defaultValue": "[variables('v')]"}}}`, "", "Circular dependency detected on template parameter 'a'"},
		"default with reference":            {`{"resources": [], "parameters": {"a": {"type": "int", "defaultValue": "[reference('v')]"}}}`, "", "The template function 'reference' is not expected at this location"},
		"secret":                            {`{"resources": [], "parameters": {"a": {"type": "string"}}}`, `{"a": {"reference": {"keyVault": {"id": "x"}, "secretName": "y"}}}`, "this cloud has no key vaults"},
		"secret is text":                    {`{"resources": [], "parameters": {"a": {"type": "string"}}}`, `{"a": {"reference": "x"}}`, "must be a JSON object"},

		"variable": {`{"resources": [], "variables": {"foo": "[fail('condition must be false')]"}}`, "",
			"Deployment template validation failed: 'The template variable 'foo' is not valid: condition must be false. Please see https://aka.ms/arm-functions for usage details.'."},
		"variable of itself":      {`{"resources": [], "variables": {"a": "[variables('b')]", "b": "[variables('a')]"}}`, "", "Circular dependency detected on template variable 'a'"},
		"no such variable":        {`{"resources": [], "variables": {"a": "[variables('b')]"}}`, "", "The template variable 'b' is not found. Please see https://aka.ms/arm-syntax-variables for usage details."},
		"no such parameter":       {`{"resources": [], "variables": {"a": "[parameters('b')]"}}`, "", "The template parameter 'b' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details."},
		"reference in a variable": {`{"resources": [], "variables": {"a": "[reference('b')]"}}`, "", "The template variable 'a' is not valid: The template function 'reference' is not expected at this location."},
		"loop without input":      {`{"resources": [], "variables": {"copy": [{"name": "a", "count": 2}]}}`, "", "has no input"},
		"loop without count":      {`{"resources": [], "variables": {"copy": [{"name": "a", "input": 2}]}}`, "", "has an invalid copy count"},
		"utcNow":                  {`{"resources": [], "variables": {"a": "[utcNow()]"}}`, "", "The template function 'utcNow' is not expected at this location"},
		"newGuid":                 {`{"resources": [], "variables": {"a": "[newGuid()]"}}`, "", "The template function 'newGuid' is not expected at this location"},
		"copyIndex":               {`{"resources": [], "variables": {"a": "[copyIndex()]"}}`, "", "The template function 'copyIndex' is not expected at this location. The function can only be used in a resource with copy specified."},
		"copyIndex by name":       {`{"resources": [], "variables": {"a": "[copyIndex('l')]"}}`, "", "No copy loop 'l' is around it"},
		"copyIndex by two names":  {`{"resources": [], "variables": {"a": "[copyIndex('l', 'm')]"}}`, "", "'copyIndex' has an invalid parameter"},
		"copyIndex by a list":     {`{"resources": [], "variables": {"a": "[copyIndex(createArray())]"}}`, "", "'copyIndex' has an invalid parameter"},
		"copyIndex with three":    {`{"resources": [], "variables": {"a": "[copyIndex('l', 1, 2)]"}}`, "", "function requires 0 argument(s) at least and 2 argument(s) at most while 3 were provided"},
		"name of a property":      {`{"resources": [], "variables": {"a": {"[createArray()]": 1}}}`, "", "of a property name must be a string"},

		"no type":        {resources(`{"name": "a", "apiVersion": "1"}`), "", "missing its required property 'type'"},
		"no name":        {resources(`{"type": "A.B/c", "apiVersion": "1"}`), "", "missing its required property 'name'"},
		"no apiVersion":  {resources(`{"type": "A.B/c", "name": "a"}`), "", "The api-version is missing"},
		"name is number": {resources(`{"type": "A.B/c", "name": "[add(1, 2)]", "apiVersion": "1"}`), "", "The name of a template resource must be a string. The provided value is of type 'Integer'"},
		"segments": {resources("{\n\"type\": \"Microsoft.CognitiveServices/accounts/deployments\", \"name\": \"cog/\", \"apiVersion\": \"1\"}"), "",
			"Deployment template validation failed: 'The template resource 'cog/' for type 'Microsoft.CognitiveServices/accounts/deployments' at line '2' and column '58' has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.'."},
		"more names than types": {resources(`{"type": "A.B/c", "name": "a/b", "apiVersion": "1"}`), "", "has incorrect segment lengths"},
		"twice":                 {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1"}, {"type": "a.b/C", "name": "A", "apiVersion": "1"}`), "", "The resource 'a.b/C/A' at line '1' and column '67' is defined multiple times in a template"},
		"reference in a name":   {resources(`{"type": "A.B/c", "name": "[reference('x')]", "apiVersion": "1"}`), "", "The template resource '[reference('x')]' at line '1' and column '16' is not valid: The template function 'reference' is not expected at this location. Please see https://aka.ms/arm-functions for usage details.. Please see"},
		"list in a condition":   {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "condition": "[listKeys('a', '1').x]"}`), "", "The template function 'listKeys' is not expected at this location"},
		"condition is text":     {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "condition": "maybe"}`), "", "The condition of a template resource must be a boolean"},
		"import":                {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "import": "k"}`), "", "has an 'import', which is not supported"},
		"no such property":      {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "properties": {"x": "[resourceGroup().nope]"}}`), "", "The template resource 'a' at line '1' and column '16' is not valid: The language expression property 'nope' doesn't exist, available properties are 'id, name, type, location, tags'.."},
		"no such function":      {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "tags": {"x": "[nope()]"}}`), "", "The template function 'nope' is not valid"},
		"no such reference":     {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "tags": {"x": "[reference('nope')]"}}`), "", "The template reference 'nope' is not valid: could not find template resource or resource copy with this name."},
		"id without version":    {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "tags": {"x": "[reference('/x/y')]"}}`), "", "The template reference '/x/y' is not valid"},
		"no such references":    {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "tags": {"x": "[references('nope')]"}}`), "", "could not find template resource copy with this name"},
		"no such resourceInfo":  {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "tags": {"x": "[resourceInfo('nope').id]"}}`), "", "The template reference 'nope' is not valid"},
		"resourceInfo too soon": {resources(`{"type": "A.B/c", "name": "[resourceInfo('a').id]", "apiVersion": "1"}`), "", "The template function 'resourceInfo' is not expected at this location"},
		"name of several":       {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1"}, {"type": "A.B/d", "name": "a", "apiVersion": "1"}, {"type": "A.B/e", "name": "e", "apiVersion": "1", "dependsOn": ["a"]}`), "", "it is the name of several template resources"},

		"no such dependency": {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": ["Microsoft.Compute/virtualMachines/windowsvm"]}`), "",
			"Deployment template validation failed: 'The resource 'Microsoft.Compute/virtualMachines/windowsvm' is not defined in the template. Please see https://aka.ms/arm-syntax-resources for usage details.'."},
		"dependency is text":   {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": "b"}`), "", "must be an array of strings"},
		"dependency is number": {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": [1]}`), "", "has a value of type 'Integer'"},
		"dependency is wrong":  {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": ["[nope()]"]}`), "", "The template function 'nope' is not valid"},
		"dependency on itself": {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": ["a"]}`), "", "Circular dependency detected on resource: '" + groupID + "/providers/A.B/c/a'."},
		"circle": {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "dependsOn": ["b"]}, {"type": "A.B/c", "name": "b", "apiVersion": "1", "dependsOn": ["c"]}, {"type": "A.B/c", "name": "c", "apiVersion": "1", "dependsOn": ["a"]}`), "",
			"Deployment template validation failed: 'Circular dependency detected on resource: '" + groupID + "/providers/A.B/c/a'. Please see https://aka.ms/arm-syntax-resources for usage details.'."},
		"circle of a loop": {resources(`{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 2}, "dependsOn": ["l"]}`), "", "Circular dependency"},

		"copy count": {resources(`{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "copy": {"name": "l", "count": 801}}`), "",
			"Deployment template validation failed: 'The template 'copy' definition at line '1' and column '94' has an invalid copy count. The copy count must be a positive integer value and cannot exceed '800'. Please see https://aka.ms/arm-copy for usage details.'."},
		"copy below zero":     {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"name": "l", "count": -1}}`), "", "has an invalid copy count"},
		"copy count is text":  {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"name": "l", "count": "2"}}`), "", "has an invalid copy count"},
		"copy count by list":  {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"name": "l", "count": "[length(listKeys('a', '1'))]"}}`), "", "The template function 'listKeys' is not expected at this location"},
		"copy mode":           {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"name": "l", "count": 2, "mode": "slow"}}`), "", "The mode 'slow' is not one of 'Parallel, Serial'"},
		"copy batch":          {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"name": "l", "count": 2, "mode": "serial", "batchSize": 0}}`), "", "The batch size must be a positive integer value"},
		"copy is a list":      {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": []}`), "", "has a 'copy' that is not a JSON object"},
		"copy without a name": {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "copy": {"count": 1}}`), "", "The name of a template copy must be a string"},
		"copy of a property":  {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "properties": {"copy": [{"name": "x", "count": 801, "input": 1}]}}`), "", "has an invalid copy count"},
		"property by list":    {resources(`{"type": "A.B/c", "name": "a", "apiVersion": "1", "properties": {"copy": [{"name": "x", "count": "[reference('a').n]", "input": 1}]}}`), "", "The template function 'reference' is not expected at this location"},

		"output without value": {`{"resources": [], "outputs": {"a": {"type": "string"}}}`, "", "has neither a 'value' nor a 'copy'"},
		"output without type":  {`{"resources": [], "outputs": {"a": {"value": "x"}}}`, "", "The template output 'a' at line '1' and column '36' is not valid: The type '' is not one of"},
		"output is text":       {`{"resources": [], "outputs": {"a": "x"}}`, "", "must be a JSON object"},
		"output":               {`{"resources": [], "outputs": {"a": {"type": "string", "value": "[parameters('x')]"}}}`, "", "The template output 'a' at line '1' and column '36' is not valid: The template parameter 'x' is not found."},
		"output condition":     {`{"resources": [], "outputs": {"a": {"type": "string", "value": "x", "condition": 1}}}`, "", "The condition of a template output must be a boolean"},
		"output copy":          {`{"resources": [], "outputs": {"a": {"type": "array", "copy": 1}}}`, "", "The copy of a template output must be a JSON object"},

		"group outside a subscription": {`{"resources": [{"type": "A.B/c", "name": "a", "apiVersion": "1", "scope": 1}]}`, "", "The scope of a template resource must be a string"},
		"function arguments": {`{"functions": [{"namespace": "n", "members": {"f": {"parameters": [{"name": "x", "type": "int"}], "output": {"type": "int", "value": 1}}}}],
			"variables": {"a": "[n.f()]"}, "resources": []}`, "", "The template function 'n.f' requires 1 argument(s) while 0 were provided"},
		"function argument": {`{"functions": [{"namespace": "n", "members": {"f": {"parameters": [{"name": "x", "type": "int"}], "output": {"type": "int", "value": 1}}}}],
			"variables": {"a": "[n.f('x')]"}, "resources": []}`, "", "The value for the parameter 'x' of the template function 'n.f' is not valid. Expected 'Integer'. Actual 'String'."},
		"function without names": {`{"functions": [{"namespace": "n", "members": {"f": {"parameters": [{"type": "int"}], "output": {"type": "int", "value": 1}}}}],
			"variables": {"a": "[n.f('x')]"}, "resources": []}`, "", "has a parameter without a name"},
		"parameters in a function": {`{"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "int", "value": "[parameters('p')]"}}}}],
			"parameters": {"p": {"type": "int", "defaultValue": 1}}, "variables": {"a": "[n.f()]"}, "resources": []}`, "", "The template parameter 'p' is not found"},
		"variables in a function": {`{"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "int", "value": "[variables('b')]"}}}}],
			"variables": {"a": "[n.f()]", "b": 1}, "resources": []}`, "", "The template function 'variables' is not expected at this location"},
		"reference in a function": {`{"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "int", "value": "[reference('b')]"}}}}],
			"outputs": {"o": {"type": "int", "value": "[n.f()]"}}, "resources": []}`, "", "The template function 'reference' is not expected at this location"},
	} {
		t.Run(name, func(t *testing.T) {
			e := refusal(t, tt.template, testInput(tt.parameters))
			if !strings.Contains(e.Message, tt.want) {
				t.Errorf("got  %s\nwant %s", e.Message, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	big := strings.Repeat("x", 9000)
	for name, tt := range map[string]struct{ template, code, want string }{
		"bytes":              {strings.Repeat(" ", MaxSize+1), CodeInvalidTemplate, "The template size limit exceeded. Limit: '4194304' bytes and actual: '4194305'"},
		"parameters":         {`{"resources": [], "parameters": {` + many(257, `"p#": {"type": "int", "defaultValue": 1}`) + `}}`, CodeInvalidTemplate, "The number of template parameters limit exceeded. Limit: '256' and actual: '257'."},
		"variables":          {`{"resources": [], "variables": {` + many(257, `"v#": 1`) + `}}`, CodeInvalidTemplate, "The number of template variables limit exceeded. Limit: '256' and actual: '257'."},
		"loops of variables": {`{"resources": [], "variables": {"copy": [` + many(57, `{"name": "l#", "count": 1, "input": 1}`) + `], ` + many(200, `"v#": 1`) + `}}`, CodeInvalidTemplate, "variables limit exceeded. Limit: '256' and actual: '257'."},
		"outputs":            {`{"resources": [], "outputs": {` + many(65, `"o#": {"type": "int", "value": 1}`) + `}}`, CodeInvalidTemplate, "The number of template outputs limit exceeded. Limit: '64' and actual: '65'."},
		"resources":          {resources(many(801, `{"type": "A.B/c", "name": "r#", "apiVersion": "1"}`)), CodeInvalidTemplate, "The number of template resources limit exceeded. Limit: '800' and actual: '801'. Please see https://aka.ms/arm-syntax-resources for usage details."},
		"instances": {resources(many(2, `{"type": "A.B/c#", "name": "[string(copyIndex())]", "apiVersion": "1", "condition": false, "copy": {"name": "l#", "count": 401}}`)), CodeInvalidTemplate,
			"The number of template resources limit exceeded. Limit: '800' and actual: '801'."},
		"expression": {`{"resources": [], "variables": {"v": "[concat('` + many(24600, "x") + `')]"}}`, CodeInvalidTemplate, "length limit exceeded. Limit: '24576'"},
		"expanded": {resources(`{"type": "A.B/c", "name": "[string(copyIndex())]", "apiVersion": "1", "properties": {"x": "` + big + `"}, "copy": {"name": "l", "count": 500}}`), CodeTooLarge,
			"expanded resources exceed the limit of '4194304' bytes"},
		"depth":  {`{"resources": [], "metadata": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, CodeInvalidTemplate, "maximum depth of 128"},
		"values": {`{"resources": [], "variables": {"a": "[range(0, 10000)]", "b": "[map(variables('a'), lambda('x', variables('a')))]", "c": "[string(variables('b'))]"}}`, CodeInvalidTemplate, "too many"},
		"calls": {`{"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "object", "value": {"x": "[n.f()]"}}}}}], "variables": {"a": "[n.f()]"}, "resources": []}`, CodeInvalidTemplate,
			"The template functions call each other too deeply"},
		"calls of calls": {`{"functions": [{"namespace": "n", "members": {"f": {"output": {"type": "int", "value": "[n.f()]"}}}}], "variables": {"a": "[n.f()]"}, "resources": []}`, CodeInvalidTemplate,
			"call each other too deeply"},
		"types in types": {`{"definitions": {"t": {"type": "object", "discriminator": {"propertyName": "k", "mapping": {"x": {"$ref": "#/definitions/t"}}}}},
			"parameters": {"a": {"$ref": "#/definitions/t", "defaultValue": {"k": "x"}}}, "resources": []}`, CodeInvalidTemplate, "nested too deeply"},
		"definition of itself": {`{"definitions": {"t": {"$ref": "#/definitions/t"}}, "parameters": {"a": {"$ref": "#/definitions/t", "defaultValue": 1}}, "resources": []}`, CodeInvalidTemplate, "is not one of"},
	} {
		t.Run(name, func(t *testing.T) {
			e := refusal(t, tt.template, testInput(""))
			if e.Code != tt.code || !strings.Contains(e.Message, tt.want) {
				t.Errorf("got  %s %.300s\nwant %s %s", e.Code, e.Message, tt.code, tt.want)
			}
		})
	}
}

// TestViolation has the place of an error in a request as az sends it.
func TestViolation(t *testing.T) {
	request := object("{\"properties\": {\"parameters\": {}, \"mode\": \"Incremental\", template:{\n  \"resources\": [ // none\n    {\"type\": \"A.B/c\",\n     \"name\": \"[parameters('x')]\", \"apiVersion\": \"1\"}\n  ]\n}}}")
	properties, _ := request.Get("properties")
	template, _ := properties.(*jsonc.Object).Get("template")
	parsed, err := New(template.(*jsonc.Object), "properties.template")
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Plan(t.Context(), testInput(""))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := []AdditionalInfo{{Type: "TemplateViolation", Info: Violation{LineNumber: 3, LinePosition: 5, Path: "properties.template.resources[0]"}}}
	if d := cmp.Diff(want, e.AdditionalInfo); d != "" {
		t.Error(d)
	}
	if !strings.HasPrefix(e.Error(), "InvalidTemplate: Deployment template validation failed: 'The template resource '[parameters('x')]' at line '3' and column '5' is not valid") {
		t.Error(e)
	}
}

func TestContentThatIsNoJSON(t *testing.T) {
	_, err := jsonc.Parse([]byte("{\n  x"))
	got, _ := json.Marshal(InvalidContent(err))
	want := `{"code":"InvalidRequestContent","message":"The request content was invalid and could not be deserialized: 'invalid character after parsing property name. Expected ':' but got: end of text, line 2, position 3'.","additionalInfo":[{"type":"TemplateViolation","info":{"lineNumber":2,"linePosition":3,"path":""}}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseFailureHasAPlace(t *testing.T) {
	_, err := Parse([]byte("{\n \"resources\": nope"))
	var e *Error
	if !errors.As(err, &e) || e.AdditionalInfo[0].Info != (Violation{LineNumber: 2, LinePosition: 14}) {
		t.Errorf("%v", err)
	}
}

func TestWrappingErrors(t *testing.T) {
	inner := &Error{Code: "QuotaExceeded", Message: "too many"}
	for want, e := range map[string]*Error{
		`{"code":"InvalidTemplateDeployment","message":"The template deployment 'd' is not valid according to the validation procedure. The tracking id is 'x'. See inner errors for details.","details":[{"code":"QuotaExceeded","message":"too many"}]}`:                           InvalidDeployment("d", "x", inner),
		`{"code":"DeploymentFailed","message":"At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.","details":[{"code":"QuotaExceeded","message":"too many"}]}`: DeploymentFailed(inner),
	} {
		if got, err := json.Marshal(e); err != nil || string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
