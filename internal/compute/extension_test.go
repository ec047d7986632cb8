package compute

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

var extensionID = vmID.Child("extensions", "cs")

// accessBody is the body that az sends for "az vm user".
func accessBody(protected string) string {
	return extensionOf("Microsoft.OSTCExtensions", "VMAccessForLinux", "1.5", `"settings": {}, "protectedSettings": `+protected)
}

// finish ends the command of an extension.
func finish(t testing.TB, c *armtest.Cloud, name string, r fabric.CommandReport) {
	t.Helper()
	vm := getVM(t, c)
	r.UID = vm.Spec.extension(name).Command.UID
	report(t, c, r)
}

// expanded is a resource with its instance view.
func expanded(t testing.TB, c *armtest.Cloud, id arm.ID) any {
	t.Helper()
	r, err := c.Do(armtest.Request{Method: "GET", ID: id, Query: url.Values{"$expand": {"instanceView"}}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Body
}

func stateOf(t testing.TB, c *armtest.Cloud, id arm.ID) string {
	t.Helper()
	return armtest.At(t, c.Get(id).Body, "properties.provisioningState").(string)
}

func TestExtension(t *testing.T) {
	c := withVM(t)
	made := c.Put(extensionID, extensionOf("microsoft.azure.extensions", "customscript", "2.1", `"autoUpgradeMinorVersion": true, "settings": {"timestamp": 4}, "protectedSettings": {"commandToExecute": "echo hidden"}`))
	if !made.Created || made.Operation == nil || made.Operation.Action != "create" || !made.Operation.Resource.Equal(extensionID) {
		t.Errorf("result = %+v, operation %+v", made, made.Operation)
	}
	if s := stateOf(t, c, extensionID); s != "Creating" {
		t.Errorf("state = %s", s)
	}
	if diff := cmp.Diff([]string{"echo hidden"}, []string{pending(t, c)[0].Script}); diff != "" {
		t.Error(diff)
	}
	_, err := c.Do(armtest.Request{Method: "PUT", ID: extensionID, Body: customBody(`{"commandToExecute": "echo other"}`)})
	armtest.WantError(t, err, "OperationNotAllowed") // while the first is under way
	finish(t, c, "cs", fabric.CommandReport{Stdout: "fine\n", EndedAt: armtest.Start})
	noSecrets(t, c, "hidden")
	if op := operation(t, c, made.Operation.ID); op.Status != arm.Succeeded {
		t.Errorf("operation = %+v", op)
	}
	armtest.Golden(t, "extension", c.Get(extensionID).Body)
	armtest.FitsSDK(t, c.Get(extensionID).Body, &armcompute.VirtualMachineExtension{})
	view := expanded(t, c, extensionID)
	armtest.Golden(t, "extension-instance", view)
	armtest.FitsSDK(t, view, &armcompute.VirtualMachineExtension{})
	if n := len(c.List(ExtensionType, vmID)); n != 1 {
		t.Errorf("%d in the list", n)
	}
	vm := expanded(t, c, vmID)
	armtest.FitsSDK(t, vm, &armcompute.VirtualMachine{})
	if kind := armtest.At(t, vm, "properties.instanceView.extensions.0.type"); kind != "Microsoft.Azure.Extensions.CustomScript" {
		t.Errorf("type = %v", kind)
	}
	if id := armtest.At(t, vm, "resources.0.id"); id != extensionID.String() {
		t.Errorf("id = %v", id)
	}
	c.Put(vmID, armtest.JSON(t, c.Get(vmID).Body)) // what is read can be sent back
	c.Delete(extensionID)
	_, err = c.Do(armtest.Request{Method: "GET", ID: extensionID})
	armtest.WantError(t, err, "ResourceNotFound")
	if op := operation(t, c, made.Operation.ID); op.Status != arm.Succeeded {
		t.Errorf("operation after the deletion = %+v", op)
	}
}

func TestExtensionFails(t *testing.T) {
	tests := map[string]struct {
		more   string
		report fabric.CommandReport
		state  string
		code   string
	}{
		"a script":          {"", fabric.CommandReport{ExitCode: 3, Stderr: "no\n"}, "Failed", "VMExtensionProvisioningError"},
		"no agent":          {"", fabric.CommandReport{Problem: &fabric.Problem{Code: "VMAgentStatusCommunicationError", Message: "No."}}, "Failed", "VMAgentStatusCommunicationError"},
		"but is let":        {`"suppressFailures": true, `, fabric.CommandReport{ExitCode: 3}, "Succeeded", ""},
		"it is fine":        {"", fabric.CommandReport{}, "Succeeded", ""},
		"fine, and let too": {`"suppressFailures": true, `, fabric.CommandReport{}, "Succeeded", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			op := c.Put(extensionID, extensionOf("Microsoft.Azure.Extensions", "CustomScript", "2.1", tt.more+`"settings": {"commandToExecute": "false"}`)).Operation
			finish(t, c, "cs", tt.report)
			got := operation(t, c, op.ID)
			if s := stateOf(t, c, extensionID); s != tt.state {
				t.Errorf("state = %s, want %s", s, tt.state)
			}
			if tt.code == "" && got.Error != nil || tt.code != "" && (got.Error == nil || got.Error.Code != tt.code) {
				t.Errorf("error = %v, want %s", got.Error, tt.code)
			}
		})
	}
}

// What is the same is not carried out again, but where it may have been undone.
func TestExtensionAgain(t *testing.T) {
	custom := func(more string) string {
		return extensionOf("Microsoft.Azure.Extensions", "CustomScript", "2.1", more+`"protectedSettings": {"commandToExecute": "true"}`)
	}
	tests := map[string]struct {
		first  string
		failed bool
		method string
		then   string
		runs   bool
		code   string
	}{
		"the same":                     {custom(""), false, "PUT", custom(""), false, ""},
		"the same, which failed":       {custom(""), true, "PUT", custom(""), true, ""},
		"forced":                       {custom(""), false, "PUT", custom(`"forceUpdateTag": "2", `), true, ""},
		"other settings":               {custom(""), false, "PUT", custom(`"settings": {"timestamp": 2}, `), true, ""},
		"other protected ones":         {custom(""), false, "PUT", customBody(`{"commandToExecute": "false"}`), true, ""},
		"access":                       {accessBody(`{"username": "bob"}`), false, "PUT", accessBody(`{"username": "bob"}`), true, ""},
		"tags":                         {custom(""), false, "PATCH", `{"tags": {"a": "b"}}`, false, ""},
		"tags of one that failed":      {custom(""), true, "PATCH", `{"tags": {"a": "b"}}`, false, ""},
		"patched settings alone":       {custom(""), false, "PATCH", `{"properties": {"settings": {"timestamp": 3}}}`, false, "InvalidParameter"},
		"patched with protected ones":  {custom(""), false, "PATCH", `{"properties": {"protectedSettings": {"commandToExecute": "id"}}}`, true, ""},
		"patched, nothing protected":   {extensionOf("Microsoft.Azure.Extensions", "CustomScript", "2.1", `"settings": {"commandToExecute": "id"}`), false, "PATCH", `{"properties": {"settings": {"timestamp": 3}}}`, true, ""},
		"another kind":                 {custom(""), false, "PUT", accessBody(`{"username": "bob"}`), false, "OperationNotAllowed"},
		"none of what there was to do": {custom(""), false, "PUT", customBody(`{}`), false, "InvalidParameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			c.Put(extensionID, tt.first)
			r := fabric.CommandReport{}
			if tt.failed {
				r.ExitCode = 1
			}
			finish(t, c, "cs", r)
			before := armtest.JSON(t, c.Get(extensionID).Body)
			res, err := c.Do(armtest.Request{Method: tt.method, ID: extensionID, Body: tt.then})
			armtest.WantError(t, err, tt.code)
			if runs := len(pending(t, c)) > 0; runs != tt.runs || runs != (res.Operation != nil) {
				t.Errorf("runs = %t, operation %+v; want %t", runs, res.Operation, tt.runs)
			}
			if after := armtest.JSON(t, c.Get(extensionID).Body); tt.code != "" && after != before {
				t.Error(cmp.Diff(before, after))
			}
			if tt.runs && stateOf(t, c, extensionID) != "Updating" {
				t.Errorf("state = %s", stateOf(t, c, extensionID))
			}
		})
	}
}

func TestExtensionRules(t *testing.T) {
	script := base64.StdEncoding.EncodeToString([]byte("echo hi\r\n"))
	const customs, access = "Microsoft.Azure.Extensions", "Microsoft.OSTCExtensions"
	settings := func(s string) string { return extensionOf(customs, "CustomScript", "2.1", `"settings": `+s) }
	tests := map[string]struct{ body, want string }{
		"command":                {settings(`{"commandToExecute": "id"}`), ""},
		"script":                 {settings(`{"script": "` + script + `"}`), ""},
		"no files":               {settings(`{"commandToExecute": "id", "fileUris": []}`), ""},
		"files":                  {settings(`{"commandToExecute": "id", "fileUris": ["https://example.com/x"]}`), "UnsupportedProperty"},
		"protected files":        {customBody(`{"commandToExecute": "id", "fileUris": ["https://example.com/x"]}`), "UnsupportedProperty"},
		"both":                   {settings(`{"commandToExecute": "id", "script": "` + script + `"}`), "InvalidParameter"},
		"neither":                {settings(`{}`), "InvalidParameter"},
		"no base64":              {settings(`{"script": "?"}`), "InvalidParameter"},
		"in both settings":       {extensionOf(customs, "CustomScript", "2.1", `"settings": {"commandToExecute": "a"}, "protectedSettings": {"commandToExecute": "b"}`), "InvalidParameter"},
		"unknown setting":        {settings(`{"commandToExecute": "id", "colour": "blue"}`), "UnsupportedProperty"},
		"settings no object":     {settings(`"id"`), "InvalidParameter"},
		"long command":           {settings(`{"commandToExecute": "` + strings.Repeat("x", maxScript+1) + `"}`), "InvalidParameter"},
		"user":                   {accessBody(`{"username": "bob", "password": "Correct-Horse-1", "ssh_key": "` + publicKey + `", "expiration": "2030-12-31"}`), ""},
		"remove a user":          {accessBody(`{"remove_user": "bob"}`), ""},
		"reset":                  {accessBody(`{"reset_ssh": true}`), ""},
		"reset, as a word":       {accessBody(`{"reset_ssh": "True"}`), ""},
		"strange user":           {accessBody(`{"username": "bob;id"}`), "InvalidParameter"},
		"strange one to remove":  {accessBody(`{"remove_user": "-f"}`), "InvalidParameter"},
		"no user":                {accessBody(`{"password": "Correct-Horse-1"}`), "InvalidParameter"},
		"password of two lines":  {accessBody(`{"username": "bob", "password": "a\nroot:b"}`), "InvalidParameter"},
		"no key":                 {accessBody(`{"username": "bob", "ssh_key": "hello"}`), "InvalidParameter"},
		"no date":                {accessBody(`{"username": "bob", "expiration": "tomorrow"}`), "InvalidParameter"},
		"check of a disk":        {accessBody(`{"check_disk": true}`), "UnsupportedProperty"},
		"settings in the open":   {extensionOf(access, "VMAccessForLinux", "1.5", `"settings": {"username": "bob"}`), "UnsupportedProperty"},
		"another publisher":      {extensionOf("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "1.0", `"settings": {}`), "ArtifactNotFound"},
		"another version":        {extensionOf(customs, "CustomScript", "3.0", `"settings": {}`), "ArtifactNotFound"},
		"an older minor":         {extensionOf(customs, "CustomScript", "2.0", `"settings": {"commandToExecute": "id"}`), ""},
		"no version":             {extensionOf(customs, "CustomScript", "new", `"settings": {}`), "InvalidParameter"},
		"nothing":                {`{"location": "local"}`, "InvalidParameter"},
		"another place":          {strings.Replace(customBody(`{"commandToExecute": "id"}`), "local", "moon", 1), "InvalidParameter"},
		"order":                  {extensionOf(customs, "CustomScript", "2.1", `"provisionAfterExtensions": ["x"], "settings": {"commandToExecute": "id"}`), "UnsupportedProperty"},
		"secrets from elsewhere": {extensionOf(customs, "CustomScript", "2.1", `"protectedSettingsFromKeyVault": {"secretUrl": "x"}`), "UnsupportedProperty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t)
			_, err := c.Do(armtest.Request{Method: "PUT", ID: extensionID, Body: tt.body})
			armtest.WantError(t, err, tt.want)
			if has := len(getVM(t, c).Spec.Extensions) == 1; has != (tt.want == "") {
				t.Errorf("there is one: %t", has)
			}
		})
	}
}

func TestExtensionsOfAKind(t *testing.T) {
	c := withVM(t)
	c.Put(extensionID, customBody(`{"commandToExecute": "id"}`))
	_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID.Child("extensions", "other"), Body: customBody(`{"commandToExecute": "id"}`)})
	armtest.WantError(t, err, "BadRequest")
	_, err = c.Do(armtest.Request{Method: "PUT", ID: armtest.ID("Microsoft.Compute/virtualMachines/none/extensions/x"), Body: customBody(`{"commandToExecute": "id"}`)})
	armtest.WantError(t, err, "ParentResourceNotFound")
	c.Put(vmID.Child("extensions", "enablevmaccess"), accessBody(`{"username": "bob"}`))
	var kinds []bool
	for _, f := range pending(t, c) { // in the order in which they were asked for
		kinds = append(kinds, f.Access != nil)
	}
	if diff := cmp.Diff([]bool{false, true}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestUnpackScript(t *testing.T) {
	var packed, bomb bytes.Buffer
	for to, text := range map[*bytes.Buffer]string{&packed: "echo hi\n", &bomb: strings.Repeat("x", 64<<20)} {
		z := gzip.NewWriter(to)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		in   []byte
		want string
		ok   bool
	}{
		"plain":  {[]byte("echo hi\n"), "echo hi\n", true},
		"packed": {packed.Bytes(), "echo hi\n", true},
		"torn":   {packed.Bytes()[:15], "", false},
		"bomb":   {bomb.Bytes(), "", false},
		"zero":   {[]byte("a\x00b"), "", false},
	}
	for name, tt := range tests {
		got, err := unpackScript(base64.StdEncoding.EncodeToString(tt.in))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%s: %.20q, %v", name, got, err)
		}
	}
}

func TestExtensionLists(t *testing.T) {
	c := newCloud(t)
	path := "/subscriptions/" + armtest.Subscription + "/providers/Microsoft.Compute/locations/local/publishers/Microsoft.Azure.Extensions/artifacttypes/vmextension/types"
	tests := map[string]struct{ path, want string }{
		"types":           {path, ""},
		"versions":        {path + "/customscript/versions", ""},
		"a version":       {path + "/CustomScript/versions/2.1.0", ""},
		"another version": {path + "/CustomScript/versions/2.2.0", "NotFound"},
		"another type":    {path + "/Nothing/versions", "NotFound"},
		"another's types": {strings.Replace(path, "Azure.Extensions", "Nobody", 1), "NotFound"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := c.GetPath(Endpoints(testConfig), tt.path, "")
			armtest.WantError(t, err, tt.want)
			if err != nil {
				return
			}
			b, err := json.Marshal(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasPrefix(b, []byte("[")) {
				var all []json.RawMessage
				if err := json.Unmarshal(b, &all); err != nil || len(all) != 1 {
					t.Fatalf("%s: %v", b, err)
				}
				b = all[0]
			}
			armtest.FitsSDK(t, json.RawMessage(b), &armcompute.VirtualMachineExtensionImage{})
		})
	}
}

func FuzzExtension(f *testing.F) {
	f.Add([]byte(customBody(`{"commandToExecute": "id"}`)))
	f.Add([]byte(customBody(`{"script": "aGk="}`)))
	f.Add([]byte(accessBody(`{"username": "bob"}`)))
	o := &vmObject{Meta: arm.Meta{ID: vmID, Location: "local"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		var b extensionBody
		err := arm.Decode(body, &b)
		if err == nil {
			_, _, err = readExtension(o, -1, "x", &b, false)
		}
		if _, ok := errors.AsType[*arm.Error](err); err != nil && !ok {
			t.Errorf("err = %v", err)
		}
	})
}
