package api_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"lazuli/internal/daemon"
)

// The page says of each operation that Azure's clients have what becomes of it,
// once, and of no other.
func TestOperationsAreAllOnThePage(t *testing.T) {
	rows, err := operationRows()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, r := range rows {
		if !slices.Contains([]string{"served", "absent", "refused"}, strings.SplitN(r.answer, ":", 2)[0]) {
			t.Errorf("%s %v: %q is none of served, refused and absent", r.module, r.clients, r.answer)
		}
		for _, o := range r.operations() {
			said[o]++
		}
		for _, c := range r.clients {
			if len(r.methods) == 0 {
				said[r.module+"."+c]++
			}
		}
	}
	used := map[string]bool{}
	for _, o := range operations(t, newCloud(t).sdk()) {
		whole := o.module + "." + o.client
		if n := said[o.String()] + said[whole]; n != 1 {
			t.Errorf("the page says %d times what becomes of %s, want once", n, o)
		}
		used[o.String()], used[whole] = true, true
	}
	for name := range said {
		if !used[name] {
			t.Errorf("the page tells of %s, which no client has", name)
		}
	}
}

// What the page says to be refused or absent is, whoever asks: each operation
// is called as its client calls it, and nothing changes.
func TestOperationsThatAreNotServed(t *testing.T) {
	c := newCloud(t, func(sc *daemon.ServerConfig) { sc.Location = x }).allX()
	s := c.sdk(scoped(c.group(x) + "/providers/Microsoft.Compute/virtualMachines/" + x))
	rows, err := operationRows()
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	for _, r := range rows {
		for _, o := range r.operations() {
			answers[o] = r.answer
		}
		for _, c := range r.clients {
			if len(r.methods) == 0 {
				answers[r.module+"."+c] = r.answer
			}
		}
	}
	before := s.everything()
	for _, o := range operations(t, s) {
		answer := answers[o.String()] + answers[o.module+"."+o.client]
		if answer == "served" {
			continue
		}
		if err := o.ask(t.Context()); !answersAs(err, answer) {
			t.Errorf("%s comes to %.300v; the page says %q", o, err, answer)
		}
	}
	if after := s.everything(); after != before {
		t.Errorf("what is refused has changed\n%s\nto\n%s", before, after)
	}
}

var refusedWith = regexp.MustCompile("^refused: `([0-9]+) ([A-Za-z]+)`")

// answersAs says whether an error is the answer that the page says.
func answersAs(err error, answer string) bool {
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return false
	}
	if m := refusedWith.FindStringSubmatch(answer); m != nil {
		return re.ErrorCode == m[2]
	}
	nothing := slices.Contains([]string{"InvalidResourceType", "InvalidResourceNamespace"}, re.ErrorCode) || strings.Contains(re.Error(), "There is nothing at")
	return re.StatusCode == 404 && nothing
}

// ask calls the operation about things that are all named x, and is the error
// that it comes to. What is not said to be there does not exist.
func (o operation) ask(ctx context.Context) error {
	var args []reflect.Value
	for i := range o.call.Type().NumIn() {
		args = append(args, someValue(ctx, o.call.Type().In(i)))
	}
	out := o.call.Call(args)
	if pager := out[0]; len(out) == 1 {
		out = pager.MethodByName("NextPage").Call([]reflect.Value{reflect.ValueOf(ctx)})
	}
	if err, _ := out[1].Interface().(error); err != nil {
		return err
	}
	if out[0].Kind() == reflect.Struct {
		if there := out[0].FieldByName("Success"); there.IsValid() && !there.Bool() {
			return &azcore.ResponseError{StatusCode: 404, ErrorCode: "InvalidResourceType"}
		}
	}
	return nil
}

// scoped is a policy that has the scope, the subscription and the namespace x
// stand for ones that there are, and the id x for one of what the client is
// about.
type scoped string

func (scope scoped) Do(r *policy.Request) (*http.Response, error) {
	url := r.Raw().URL
	if url.Path == "/"+x {
		client, _, _ := strings.Cut(apiName(r.Raw()), ".")
		url.Path = string(scope) + "/providers/Microsoft.Authorization/" + clientName(client) + url.Path
	} else if rest, ok := strings.CutPrefix(url.Path, "/"+x+"/"); ok {
		url.Path = string(scope) + "/" + rest
	} else if rest, ok := strings.CutPrefix(url.Path, "/subscriptions/"+x); ok {
		url.Path = strings.Join(strings.Split(string(scope), "/")[:3], "/") + rest
	}
	url.Path = strings.Replace(url.Path, "/providers/"+x+"/", "/providers/Microsoft.Network/", 1)
	return r.Next()
}

// someValue is an argument of a type: x where that can be.
func someValue(ctx context.Context, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[context.Context]():
		v.Set(reflect.ValueOf(ctx))
	case t == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0)))
	case t.Kind() == reflect.String:
		v.SetString(x)
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		v.Set(reflect.ValueOf(map[string]any{}))
	}
	return v
}

// x is what everything is called: whatever an argument of a client's method is
// a name of, x is one.
const x = "xxx"

// allX is a cloud in which there is one of everything.
func (c *cloud) allX() *cloud {
	c.t.Helper()
	c.want(201, "PUT", c.group(x), `{"location":"`+x+`"}`)
	here := strings.NewReplacer("/resourceGroups/rg/", "/resourceGroups/"+x+"/", "/net/", "/"+x+"/", "/sn", "/"+x, `"sn"`, `"`+x+`"`, `"local"`, `"`+x+`"`)
	put := func(path string, b body) { c.done("PUT", here.Replace(path)+x, here.Replace(b.String())) }
	put(c.network("virtualNetworks/"), c.vnetBody())
	put(c.network("networkInterfaces/"), c.nicBody())
	put(c.network("publicIPAddresses/"), parse(`{"location":"local"}`))
	put(c.network("networkSecurityGroups/"), parse(`{"location":"local"}`))
	put(c.network("networkSecurityGroups/net/securityRules/"), parse(`{"properties":{"priority":100,"direction":"Inbound","access":"Allow","protocol":"Tcp",
		"sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`))
	put(c.compute("disks/"), c.diskBody())
	put(c.compute("availabilitySets/"), parse(`{"location":"local"}`))
	put(c.compute("sshPublicKeys/"), parse(`{"location":"local"}`))
	put(c.group(x)+"/providers/Microsoft.Storage/storageAccounts/", parse(`{"location":"local","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`))
	put(c.compute("virtualMachines/"), c.vmBody(x))
	return c
}
