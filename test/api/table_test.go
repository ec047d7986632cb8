package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"lazuli/internal/arm"
	"lazuli/internal/compute"
	"lazuli/internal/deploy"
	"lazuli/internal/network"
	"lazuli/internal/resources"
	"lazuli/internal/rights"
	"lazuli/internal/storage"
)

// sample is how the walk makes a resource of a type, and what Azure documents
// of the names of the type.
type sample struct {
	at, body string
	// Names: how long they are, and what beside letters and digits they begin
	// with, contain and end in.
	min, max          int
	first, inner, end string
}

const anyTracked = `{"location":"local"}`

// samples are of a cloud with a machine, a security group and a disk.
func (c *cloud) samples() map[string]sample {
	const dots, last = "_.-", "_"
	return map[string]sample{
		arm.GroupType:        {c.subscription("resourceGroups"), anyTracked, 1, 90, "_.-()", "_.-()", "_-()"},
		network.VNetType:     {c.network("virtualNetworks"), c.vnetBody().String(), 2, 64, "", dots, last},
		network.SubnetType:   {c.network("virtualNetworks/net/subnets"), `{"properties":{"addressPrefix":"10.0.9.0/24"}}`, 1, 80, "", dots, last},
		network.NICType:      {c.network("networkInterfaces"), c.nicBody().String(), 1, 80, "", dots, last},
		network.PublicIPType: {c.network("publicIPAddresses"), anyTracked, 1, 80, "", dots, last},
		network.NSGType:      {c.network("networkSecurityGroups"), anyTracked, 1, 80, "", dots, last},
		network.RuleType: {c.network("networkSecurityGroups/nsg/securityRules"), `{"properties":{"access":"Allow","direction":"Inbound","priority":100,"protocol":"*",
			"sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"*"}}`, 1, 80, "", dots, last},
		compute.VMType: {c.compute("virtualMachines"), c.vmBody("nic2").String(), 1, 64, "", dots, last},
		compute.ExtensionType: {c.compute("virtualMachines/vm/extensions"), `{"location":"local","properties":{"publisher":"Microsoft.Azure.Extensions","type":"CustomScript",
			"typeHandlerVersion":"2.1","settings":{"commandToExecute":"true"}}}`, 1, 64, "", dots, last},
		compute.DiskType:  {c.compute("disks"), c.diskBody().String(), 1, 80, "_", dots, last},
		compute.ImageType: {c.compute("images"), `{"location":"local","properties":{"storageProfile":{"osDisk":{"osType":"Linux","osState":"Generalized","managedDisk":{"id":"` + c.compute("disks/d") + `"}}}}}`, 1, 80, "_", dots, last},
		compute.AVSetType: {c.compute("availabilitySets"), anyTracked, 1, 80, "_", dots, last},
		compute.KeyType:   {c.compute("sshPublicKeys"), anyTracked, 1, 80, "_", dots, last},
	}
}

// table is the types that the walk is about.
func table() []arm.Type {
	return slices.Concat(resources.Types("local"), network.Types(network.Config{}), compute.Types(compute.Config{}))
}

// Every type has the verbs, statuses, actions and names that the table of types
// says, over HTTP, and what it says is what Azure's clients take.
func TestTableOfTypes(t *testing.T) {
	c := newCloud(t).withVM()
	c.want(201, "PUT", c.network("networkSecurityGroups/nsg"), anyTracked)
	c.done("PUT", c.compute("disks/d"), c.diskBody().String())
	samples := c.samples()
	for _, typ := range table() {
		if typ.Name == resources.TagsType {
			continue // has one name, and is there as long as what it is on: see TestTagsAtScope
		}
		t.Run(typ.Name, func(t *testing.T) {
			s, ok := samples[typ.Name]
			if !ok {
				t.Fatal("the walk has no sample of the type")
			}
			w := walk{c.in(t), typ, s}
			w.methods()
			w.names()
			w.life()
		})
	}
}

// Types whose resources are made by tests of their own have the verbs of the
// table, too.
func TestVerbsOfOtherTypes(t *testing.T) {
	c := newCloud(t).furnished()
	others := slices.Concat(rights.Types(rights.Config{}), (&deploy.Deployments{}).Types(), storage.Types(storage.Config{}))
	for _, typ := range table() {
		if typ.Name == resources.TagsType {
			others = append(others, typ)
		}
	}
	for _, typ := range others {
		t.Run(typ.Name, func(t *testing.T) {
			w := walk{c.in(t), typ, sample{at: c.group("rg") + "/providers/" + typ.Name}}
			w.only(w.at+"/default", typ.Methods())
			if typ.Can(arm.CanList) {
				w.only(w.at, []string{http.MethodGet})
			}
			for name := range typ.Actions {
				w.only(w.at+"/default/"+name, []string{http.MethodPost})
			}
		})
	}
}

type walk struct {
	*cloud
	typ arm.Type
	sample
}

// methods holds the paths of the type to the methods that it has.
func (w walk) methods() {
	w.t.Helper()
	has := w.typ.Methods()
	w.only(w.at+"/w", has)
	w.only(w.at, []string{http.MethodGet})
	for name := range w.typ.Actions {
		w.only(w.at+"/w/"+name, []string{http.MethodPost})
	}
}

// only holds a path to the methods: others are answered with what there is.
func (w walk) only(path string, has []string) {
	w.t.Helper()
	allow := strings.Join(slices.Sorted(slices.Values(has)), ", ")
	for _, m := range []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "BREW"} {
		if slices.Contains(has, m) {
			continue
		}
		r := w.do(m, path, "")
		if r.StatusCode != 405 || m != "HEAD" && r.code() != "HttpMethodNotSupported" || r.Header.Get("Allow") != allow {
			w.t.Errorf("%s %s = %d %s, Allow %q; want 405, Allow %q", m, path, r.StatusCode, r.code(), r.Header.Get("Allow"), allow)
		}
	}
}

// names tries names at the edges of the rule. Content is looked at after the
// name, so that bad content says that the name is good.
func (w walk) names() {
	w.t.Helper()
	filled := func(n int) string { return strings.Repeat("a", n) }
	good := []string{filled(w.min), filled(w.max), "Az09", "0a"}
	bad := []string{filled(w.max + 1), "é" + filled(w.min), "a b", " ", "a\u200b"}
	if w.typ.Name == arm.GroupType {
		bad = slices.DeleteFunc(bad, func(s string) bool { return s[0] == 0xc3 }) // any letters will do
	}
	if w.min > 1 {
		bad = append(bad, filled(w.min-1))
	}
	for r := '!'; r <= '~'; r++ {
		for name, allowed := range map[string]string{"a" + string(r) + "a": w.inner, string(r) + "aa": w.first, "aa" + string(r): w.end} {
			switch {
			case strings.ContainsRune(`/\`, r) || strings.ContainsRune("09AZaz", r):
			case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', strings.ContainsRune(allowed, r):
				good = append(good, name)
			default:
				bad = append(bad, name)
			}
		}
	}
	for name, want := range map[*[]string]string{&good: "InvalidRequestContent", &bad: w.nameCode()} {
		for _, n := range *name {
			w.refused(400, want, "PUT", w.at+"/"+url.PathEscape(n), "{")
		}
	}
}

func (w walk) nameCode() string {
	if w.typ.Names.Code != "" {
		return w.typ.Names.Code
	}
	return "InvalidResourceName"
}

// life makes a resource with the longest name, uses it in all ways, and deletes
// it.
func (w walk) life() {
	w.t.Helper()
	path := w.at + "/" + strings.Repeat("a", w.max)
	w.refused(404, w.do("GET", path, "").code(), "GET", path, "")
	w.want(404, "HEAD", path, "")
	w.step("PUT", path, w.body, w.typ.Created)
	w.step("PUT", path, w.body, w.typ.Updated)
	r := w.want(200, "GET", path, "")
	if got, _ := r.get("type").(string); !strings.EqualFold(got, w.typ.Name) {
		w.t.Errorf("its type is %q", got)
	}
	w.want(204, "HEAD", path, "")
	if w.typ.Can(arm.CanPatch) {
		patch := `{}`
		if w.typ.Tracked {
			patch = `{"tags":{"a":"b"}}`
		}
		w.step("PATCH", path, patch, w.typ.Updated)
	}
	w.lists(fmt.Sprint(r.get("id")))
	for name := range w.typ.Actions {
		w.act(path + "/" + name)
	}
	w.step("DELETE", path, "", http.StatusAccepted)
	w.until(path+" is gone", func() bool { return w.do("GET", path, "").StatusCode == 404 })
	gone := http.StatusNoContent
	if w.typ.Name == arm.GroupType {
		gone = http.StatusNotFound // 204 is not among what the SDK takes
	}
	w.want(gone, "DELETE", path, "")
}

// step sends a request that succeeds with the status, or with 200 when there is
// nothing to carry out, and waits for its end.
func (w walk) step(method, path, body string, status int) {
	w.t.Helper()
	r := w.done(method, path, body)
	if r.StatusCode != status && (status != http.StatusAccepted || r.StatusCode != http.StatusOK) {
		w.t.Errorf("%s %s = %d, want %d", method, path, r.StatusCode, status)
	}
	if acceptedStatuses(method, path) == nil {
		w.t.Errorf("what the SDK takes of %s %s is not in testdata/accepted.txt", method, path)
	}
}

// lists looks for the resource in the lists of its group and subscription.
func (w walk) lists(id string) {
	w.t.Helper()
	lists := []string{w.at}
	if w.typ.Tracked && w.typ.Name != arm.GroupType {
		lists = append(lists, w.subscription("providers/"+w.typ.Name))
	}
	for _, list := range lists {
		items, _ := w.want(200, "GET", list, "").get("value").([]any)
		if !slices.ContainsFunc(items, func(item any) bool { return at(item, "id") == id }) {
			w.t.Errorf("%s has no %s", list, id)
		}
		w.refused(400, "InvalidTopParameter", "GET", list+"?$top=x&api-version="+version, "")
		w.refused(400, "InvalidParameter", "GET", list+"?$orderby=name&api-version="+version, "")
		w.refused(400, "InvalidParameter", "GET", list+"?$expand=everything&api-version="+version, "")
		w.refused(400, "InvalidFilterInQueryString", "GET", list+"?$filter=colour+eq+'red'&api-version="+version, "")
		if got, _ := w.want(200, "GET", list+"?$top=1&api-version="+version, "").get("value").([]any); len(got) != 1 {
			w.t.Errorf("%s: $top=1 gives %d", list, len(got))
		}
	}
}

// act sends an action. It may be refused, for what it needs; but it is known.
func (w walk) act(path string) {
	w.t.Helper()
	r := w.do("POST", path, "{}")
	w.await(r)
	if r.StatusCode == 404 || r.StatusCode == 405 || acceptedStatuses("POST", path) == nil {
		w.t.Errorf("POST %s = %d %s; accepted would be %v", path, r.StatusCode, r.body, acceptedStatuses("POST", path))
	}
}
