package template

import (
	"strings"
	"testing"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// checkOutputs checks what expressions are, or a part of what is said of those
// that are wrong, where what is wanted begins with an exclamation mark.
func checkOutputs(t *testing.T, in Input, sections string, want map[string]string) {
	t.Helper()
	for source, got := range outputs(t, in, sections, want) {
		message, wrong := strings.CutPrefix(want[source], "!")
		if wrong && !strings.Contains(got, message) || !wrong && got != want[source] {
			t.Errorf("%s\n got  %s\n want %s", source, got, want[source])
		}
	}
}

func TestResourceIDs(t *testing.T) {
	sub := "/subscriptions/" + subscriptionID
	const other = "2e518a80-f860-4467-a00e-d81aaf1ff42e"
	group := testInput("")
	subscription := testInput("")
	subscription.Scope.ResourceGroup, subscription.ResourceGroup = "", nil
	management := Input{Scope: Scope{ManagementGroup: "mg1"}, ManagementGroup: jsonc.NewObject("name", "mg1")}
	for name, tt := range map[string]struct {
		in   Input
		want map[string]string
	}{
		"in a group": {group, map[string]string{
			"resourceId('My.Rp/parent/child', 'p', 'c')":                                                 `"` + groupID + `/providers/My.Rp/parent/p/child/c"`,
			"resourceId('customRg', 'My.Rp/parent/child', 'p', 'c')":                                     `"` + sub + `/resourceGroups/customRg/providers/My.Rp/parent/p/child/c"`,
			"resourceId('" + other + "', 'customRg', 'My.Rp/parent', 'p')":                               `"/subscriptions/` + other + `/resourceGroups/customRg/providers/My.Rp/parent/p"`,
			"resourceId('" + other + "', 'My.Rp/parent', 'p')":                                           `"/subscriptions/` + other + `/resourceGroups/rg1/providers/My.Rp/parent/p"`,
			"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')":                     `"` + sub + `/providers/Microsoft.Authorization/roleDefinitions/x"`,
			"subscriptionResourceId('" + other + "', 'My.Rp/parent', 'p')":                               `"/subscriptions/` + other + `/providers/My.Rp/parent/p"`,
			"subscriptionResourceId('Microsoft.Resources/resourceGroups', 'x')":                          `"` + sub + `/resourceGroups/x"`,
			"tenantResourceId('Microsoft.Authorization/roleDefinitions', 'x')":                           `"/providers/Microsoft.Authorization/roleDefinitions/x"`,
			"managementGroupResourceId('mg2', 'My.Rp/parent', 'p')":                                      `"/providers/Microsoft.Management/managementGroups/mg2/providers/My.Rp/parent/p"`,
			"extensionResourceId(resourceId('My.Rp/parent', 'p'), 'Microsoft.Authorization/locks', 'l')": `"` + groupID + `/providers/My.Rp/parent/p/providers/Microsoft.Authorization/locks/l"`,
			"extensionResourceId(concat(resourceGroup().id, '/'), 'Microsoft.Authorization/locks', 'l')": `"` + groupID + `/providers/Microsoft.Authorization/locks/l"`,
			"resourceId('A.B/c')":                               "!Unable to evaluate template language function 'resourceId': function requires at least 2 argument(s) while 1 were provided",
			"resourceId('A.B/c', 'x', 'y')":                     "!Unable to evaluate template language function 'resourceId': the type 'A.B/c' requires '1' resource name argument(s). Please see https://aka.ms/arm-resource-functions/#resourceid for usage details.",
			"resourceId('a', 'b')":                              "!Unable to evaluate template language function 'resourceId': function requires exactly one multi-segmented argument which must be resource id including resource provider namespace. Current function arguments 'a,b'. Please see https://aka.ms/arm-resource-functions/#resourceid for usage details.",
			"resourceId('A.B/c', 'x/y')":                        "!exactly one multi-segmented argument",
			"resourceId('A.B/c', 1)":                            `"` + groupID + `/providers/A.B/c/1"`,
			"resourceId('A.B/c/', true())":                      "!expects parameter 2 to be a string. The provided value is of type 'Boolean'",
			"resourceId('A.B/c/', 'x')":                         `"` + groupID + `/providers/A.B/c/x"`,
			"resourceId('a', 'b', 'c', 'A.B/c', 'x')":           "!too many arguments are before the resource type",
			"subscriptionResourceId('a', 'b', 'A.B/c', 'x')":    "!too many arguments",
			"subscriptionResourceId('a', 'x')":                  "!exactly one multi-segmented argument",
			"tenantResourceId('a', 'A.B/c', 'x')":               "!too many arguments",
			"tenantResourceId('a', 'x')":                        "!exactly one multi-segmented argument",
			"managementGroupResourceId('A.B/c', 'x')":           "!The template function 'managementGroupResourceId' is not expected at this location",
			"managementGroupResourceId('a', 'b', 'A.B/c', 'x')": "!too many arguments",
			"managementGroupResourceId('a', 'x')":               "!exactly one multi-segmented argument",
			"extensionResourceId('x', 'A.B/c', 'y')":            "!the resource id 'x' is not valid",
			"extensionResourceId(1, 'A.B/c', 'y')":              "!expects parameter 1 to be a string",
		}},
		"in a subscription": {subscription, map[string]string{
			"resourceId('My.Rp/parent', 'p')":                        `"` + sub + `/providers/My.Rp/parent/p"`,
			"resourceId('" + other + "', 'My.Rp/parent', 'p')":       `"/subscriptions/` + other + `/providers/My.Rp/parent/p"`,
			"resourceId('" + other + "', 'rg', 'My.Rp/parent', 'p')": `"/subscriptions/` + other + `/resourceGroups/rg/providers/My.Rp/parent/p"`,
			"resourceId('Microsoft.Resources/resourceGroups', 'x')":  `"` + sub + `/resourceGroups/x"`,
			"resourceGroup().location":                               "!The template function 'resourceGroup' is not expected at this location",
		}},
		"in a management group": {management, map[string]string{
			"resourceId('My.Rp/parent', 'p')":                `"/providers/My.Rp/parent/p"`,
			"managementGroupResourceId('My.Rp/parent', 'p')": `"/providers/Microsoft.Management/managementGroups/mg1/providers/My.Rp/parent/p"`,
			"resourceId('a', 'b', 'c', 'A.B/c', 'x')":        "!too many arguments",
			"subscriptionResourceId('My.Rp/parent', 'p')":    "!is not expected at this location",
			"managementGroup().name":                         `"mg1"`,
		}},
		"in the tenant": {Input{}, map[string]string{
			"resourceId('My.Rp/parent', 'p')": `"/providers/My.Rp/parent/p"`,
			"subscription().id":               "!The template function 'subscription' is not expected at this location",
		}},
	} {
		t.Run(name, func(t *testing.T) { checkOutputs(t, tt.in, "", tt.want) })
	}
}

func TestContextFunctions(t *testing.T) {
	in := testInput(`{"s": {"value": "given"}}`)
	in.TemplateLink = jsonc.NewObject("uri", "https://x/y.json")
	in.Location = "westeurope"
	in.Deployer = jsonc.NewObject("objectId", "o1")
	in.Zones = func(namespace, resourceType, location string) []string {
		if location == "nowhere" {
			return nil
		}
		return []string{"1", "2", "3"}
	}
	in.Provider = func(namespace string) *jsonc.Object {
		if namespace != "Microsoft.Compute" {
			return nil
		}
		return jsonc.NewObject("namespace", namespace, "resourceTypes", []any{jsonc.NewObject("resourceType", "disks", "locations", []any{"x"})})
	}
	sections := `"parameters": {"S": {"type": "string"}, "d": {"type": "string", "defaultValue": "[concat(parameters('s'), '!')]"},
			"now": {"type": "string", "defaultValue": "[utcNow()]"}, "day": {"type": "string", "defaultValue": "[utcNow('d')]"}, "byVariable": {"type": "string", "defaultValue": "[variables('list')[0]]"}, "id": {"type": "string", "defaultValue": "[newGuid()]"}},
		"variables": {"a": "[variables('B')]", "b": {"x": ["[parameters('d')]", "[[no]", "[no] x"]},
			"copy": [{"name": "list", "count": 3, "input": "[concat('item', copyIndex('list', 1))]"}, {"name": "objects", "count": 2, "input": {"n": "[copyIndex('objects')]", "m": "[copyIndex()]"}}],
			"inside": {"copy": [{"name": "l", "count": "[length(variables('list'))]", "input": "[variables('list')[copyIndex('l')]]"}], "y": 1},
			"plain": {"copy": ["not", "a loop"]}, "nested": {"copy": [{"name": "o", "count": 2, "input": {"copy": [{"name": "i", "count": 2, "input": "[add(mul(10, copyIndex('o')), copyIndex('i'))]"}]}}]}},
		"functions": [{"namespace": "contoso", "members": {
			"uniqueName": {"parameters": [{"name": "namePrefix", "type": "string"}], "output": {"type": "string", "value": "[concat(toLower(parameters('namePrefix')), '-', contoso.twice('x'))]"}},
			"twice": {"parameters": [{"name": "s", "type": "string"}], "output": {"type": "string", "value": "[concat(parameters('s'), parameters('s'))]"}},
			"object": {"output": {"type": "object", "value": {"a": "[contoso.twice('y')]"}}}}}],`
	checkOutputs(t, in, sections, map[string]string{
		"parameters('s')":                `"given"`,
		"PARAMETERS('D')":                `"given!"`,
		"parameters('now')":              `"20261122T200000Z"`,
		"parameters('byVariable')":       `"item1"`,
		"parameters('day')":              `"11/22/2026"`,
		"take(parameters('id'), 24)":     `"00000000-0000-4000-8000-"`,
		"variables('a').x":               `["given!","[no]","[no] x"]`,
		"variables('list')":              `["item1","item2","item3"]`,
		"variables('objects')":           `[{"n":0,"m":0},{"n":1,"m":1}]`,
		"variables('inside')":            `{"l":["item1","item2","item3"],"y":1}`,
		"variables('plain')":             `{"copy":["not","a loop"]}`,
		"variables('nested').o":          `[{"i":[0,1]},{"i":[10,11]}]`,
		"contoso.uniqueName('STORAGE')":  `"storage-xx"`,
		"Contoso.UniqueName('x')":        `"x-xx"`,
		"contoso.object()":               `{"a":"yy"}`,
		"contoso.nope()":                 "!The template function 'contoso.nope' is not valid",
		"resourceGroup().location":       `"westeurope"`,
		"resourceGroup().id":             `"` + groupID + `"`,
		"subscription().subscriptionId":  `"` + subscriptionID + `"`,
		"tenant().tenantId":              `"t1"`,
		"environment().suffixes.storage": `"core.lazuli"`,
		"deployer().objectId":            `"o1"`,
		"managementGroup()":              "!The template function 'managementGroup' is not expected at this location",
		"deployment().name":              `"deploy1"`,
		"deployment().location":          `"westeurope"`,
		"deployment().properties.mode":   `"Incremental"`,
		"uri(deployment().properties.templateLink.uri, 'z.json')":         `"https://x/z.json"`,
		"length(deployment().properties.template.variables.plain.copy)":   `2`,
		"deployment().properties.parameters":                              `{}`,
		"uniqueString(resourceGroup().id)":                                `"` + uniqueOf(t, groupID) + `"`,
		"pickZones('Microsoft.Compute', 'virtualMachines', 'here')":       `["1"]`,
		"pickZones('Microsoft.Compute', 'virtualMachines', 'here', 2)":    `["1","2"]`,
		"pickZones('Microsoft.Compute', 'virtualMachines', 'here', 1, 2)": `["3"]`,
		"pickZones('Microsoft.Compute', 'virtualMachines', 'nowhere', 3)": `[]`,
		"pickZones('Microsoft.Compute', 'virtualMachines', 'here', 3, 1)": "!cannot pick '3' zones from offset '1'",
		"pickZones('Microsoft.Compute', 'virtualMachines', 'here', 'x')":  "!expects parameter 4 to be an integer",
		"pickZones(1, 'virtualMachines', 'here')":                         "!expects parameter 1 to be a string",
		"providers('Microsoft.Compute').namespace":                        `"Microsoft.Compute"`,
		"providers('Microsoft.Compute', 'DISKS').locations":               `["x"]`,
		"providers('Microsoft.Compute', 'nope')":                          "!The resource type 'nope' could not be found in the namespace 'Microsoft.Compute'",
		"providers('nope')":                                               "!The resource namespace 'nope' is invalid",
		"providers(1)":                                                    "!expects parameter 1 to be a string",
		"parameters(1)":                                                   "!expects parameter 1 to be a string",
		"variables(1)":                                                    "!expects parameter 1 to be a string",
		"reference(1)":                                                    "!expects parameter 1 to be a string",
		"references(1)":                                                   "!expects parameter 1 to be a string",
		"resourceInfo(1)":                                                 "!expects parameter 1 to be a string",
		"listKeys(1)":                                                     "!expects parameter 1 to be a string",
		"listKeys()":                                                      "!Unable to evaluate template language function 'listKeys'",
		"utcNow()":                                                        "!The template function 'utcNow' is not expected at this location",
		"environment(1)":                                                  "!function requires 0 argument(s) while 1 were provided",
	})
	checkOutputs(t, testInput(""), "", map[string]string{
		"pickZones('a', 'b', 'c')": "!The template function 'pickZones' is not expected at this location",
		"providers('a')":           "!The template function 'providers' is not expected at this location",
		"deployer()":               "!The template function 'deployer' is not expected at this location",
	})
}

// uniqueOf is uniqueString of a text, by another way.
func uniqueOf(t *testing.T, text string) string {
	got := outputs(t, testInput(""), "", map[string]string{"uniqueString('" + text + "')": ""})
	for _, v := range got {
		return strings.Trim(v, `"`)
	}
	return ""
}

func TestFormatOfUTCNowHasToBeText(t *testing.T) {
	e := refusal(t, `{"resources": [], "parameters": {"a": {"type": "string", "defaultValue": "[utcNow(1)]"}}}`, testInput(""))
	if !strings.Contains(e.Message, "expects parameter 1 to be a string") {
		t.Error(e.Message)
	}
}

// documented are the functions of "ARM template functions" of Azure's
// documentation, and those that Bicep's compiler emits besides.
const documented = `array concat contains createArray empty first indexOf intersection last lastIndexOf length max min range skip take union
	parseCidr cidrSubnet cidrHost coalesce equals greater greaterOrEquals less lessOrEquals
	dateTimeAdd dateTimeFromEpoch dateTimeToEpoch utcNow deployment environment parameters variables
	filter map reduce sort toObject and bool false if not or true add copyIndex div float int mod mul sub
	createObject items json null extensionResourceId listAccountSas listKeys listSecrets list pickZones providers reference references
	resourceId subscriptionResourceId managementGroupResourceId tenantResourceId managementGroup resourceGroup subscription tenant
	base64 base64ToJson base64ToString dataUri dataUriToString endsWith format guid join newGuid padLeft replace split startsWith string
	substring toLower toUpper trim uniqueString uri uriComponent uriComponentToString
	flatten groupBy mapValues objectKeys shallowMerge tryGet tryIndexFromEnd indexFromEnd lambda lambdaVariables deployer resourceInfo fail
	distinct like parseUri buildUri`

func TestEveryDocumentedFunctionIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, name := range expr.Functions() {
		known[name] = true
	}
	for _, f := range contextFunctions {
		known[f.name] = true
	}
	for _, name := range strings.Fields(documented) {
		if !known[name] && !strings.HasPrefix(name, "list") {
			t.Errorf("%s is missing", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s is not documented here", name)
	}
}
