package api

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/store/memory"
)

func newTestServer(tb testing.TB) *Server {
	tb.Helper()
	st := memory.New(memory.Options{})
	tb.Cleanup(func() { st.Close() })
	none := func(context.Context, *arm.Call, []byte) (arm.Result, error) { return arm.Result{}, nil }
	s, err := New(context.Background(), Config{
		Store: st, Rights: armtest.Everyone{}, Location: "local", Guests: noGuests{},
		Types: []arm.Type{
			{Name: arm.GroupType, Scopes: arm.InSubscription, Created: 201, Updated: 200},
			{Name: "Microsoft.Authorization/locks", Scopes: arm.InGroup | arm.InSubscription | arm.OnResource, Created: 201, Updated: 200},
			{Name: "Microsoft.Compute/virtualMachines", Created: 201, Updated: 200, Actions: map[string]arm.Action{"powerOff": none}},
			{Name: "Microsoft.Network/virtualNetworks", Created: 201, Updated: 200},
			{Name: "Microsoft.Network/virtualNetworks/subnets", Created: 201, Updated: 200},
		},
		Endpoints: []arm.Endpoint{
			{Method: "GET", Path: "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/vmSizes"},
			{Method: "GET", Path: "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{vm}/instanceView"},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

type noGuests struct{}

func (noGuests) SerialLog(context.Context, arm.ID) (io.ReadCloser, error) { return nil, io.EOF }

func (noGuests) Console(context.Context, arm.ID) (io.ReadWriteCloser, error) { return nil, io.EOF }

func TestFind(t *testing.T) {
	s := newTestServer(t)
	const g = "/subscriptions/S/resourceGroups/G"
	tests := map[string]struct{ path, id, verbs string }{
		"resource":        {g + "/providers/microsoft.compute/VIRTUALMACHINES/vm", g + "/providers/Microsoft.Compute/virtualMachines/vm", "DELETE GET HEAD PATCH PUT"},
		"child":           {g + "/providers/Microsoft.Network/virtualNetworks/v/SUBNETS/s", g + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s", "DELETE GET HEAD PATCH PUT"},
		"list":            {g + "/providers/Microsoft.Compute/virtualMachines", g, "GET"},
		"list of all":     {"/subscriptions/S/providers/Microsoft.Compute/virtualMachines", "/subscriptions/S", "GET"},
		"list of child":   {g + "/providers/microsoft.network/virtualnetworks/v/subnets", g + "/providers/Microsoft.Network/virtualNetworks/v", "GET"},
		"child, no group": {"/subscriptions/S/providers/Microsoft.Network/virtualNetworks/v/subnets", "", ""},
		"action":          {g + "/providers/Microsoft.Compute/virtualMachines/vm/POWEROFF", g + "/providers/Microsoft.Compute/virtualMachines/vm", "POST"},
		"console":         {g + "/providers/Microsoft.Compute/virtualMachines/vm/console", g + "/providers/Microsoft.Compute/virtualMachines/vm", "GET"},
		"endpoint":        {"/subscriptions/S/providers/Microsoft.Compute/locations/local/VMSIZES", "/subscriptions/S/providers/Microsoft.Compute/locations/local", "GET"},
		"endpoint of vm":  {g + "/providers/Microsoft.Compute/virtualMachines/vm/instanceview", g + "/providers/Microsoft.Compute/virtualMachines/vm", "GET"},
		"lock of group":   {g + "/providers/Microsoft.Authorization/LOCKS/l", g + "/providers/Microsoft.Authorization/locks/l", "DELETE GET HEAD PATCH PUT"},
		"lock of sub":     {"/subscriptions/S/providers/Microsoft.Authorization/locks/l", "/subscriptions/S/providers/Microsoft.Authorization/locks/l", "DELETE GET HEAD PATCH PUT"},
		"lock of vm":      {g + "/providers/microsoft.compute/virtualmachines/vm/PROVIDERS/microsoft.authorization/locks/l", g + "/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Authorization/locks/l", "DELETE GET HEAD PATCH PUT"},
		"lock of child":   {g + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s/providers/Microsoft.Authorization/locks/l", g + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s/providers/Microsoft.Authorization/locks/l", "DELETE GET HEAD PATCH PUT"},
		"locks of vm":     {g + "/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Authorization/locks", g + "/providers/Microsoft.Compute/virtualMachines/vm", "GET"},
		"locks of group":  {g + "/providers/Microsoft.Authorization/locks", g, "GET"},
		"lock of lock":    {g + "/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Authorization/locks/l/providers/Microsoft.Authorization/locks/l", "", ""},
		"vm on vm":        {g + "/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Compute/virtualMachines/vm", "", ""},
		"vms on vm":       {g + "/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Compute/virtualMachines", "", ""},
		"lock of unknown": {g + "/providers/Microsoft.Compute/disks/d/providers/Microsoft.Authorization/locks/l", "", ""},
		"group":           {g, arm.GroupID("S", "G").String(), "DELETE GET HEAD PATCH PUT"},
		"groups":          {"/subscriptions/S/resourcegroups", "/subscriptions/S", "GET"},
		"group as a type": {"/subscriptions/S/providers/Microsoft.Resources/resourceGroups/G", arm.GroupID("S", "G").String(), "DELETE GET HEAD PATCH PUT"},
		"group in group":  {g + "/providers/Microsoft.Resources/resourceGroups/G", "", ""},
		"below a child":   {g + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s/more", "", ""},
		"unknown":         {g + "/providers/Microsoft.Compute/disks/d", "", ""},
		"sub's nothing":   {"/subscriptions/S/nothing", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			target, err := s.routes.find(strings.Split(tt.path[1:], "/"))
			if tt.id == "" {
				if err == nil {
					t.Errorf("find = %s, want nothing", target.id)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var verbs []string
			for _, v := range []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} {
				if _, ok := target.verbs[v]; ok {
					verbs = append(verbs, v)
				}
			}
			if target.id.String() != tt.id || strings.Join(verbs, " ") != tt.verbs {
				t.Errorf("find = %s with %v, want %s with %s", target.id, verbs, tt.id, tt.verbs)
			}
		})
	}
}

func TestSplitPath(t *testing.T) {
	tests := map[string]string{ // "" for what is refused
		"//a/b/":                   "a b",
		"/a%20b/c":                 "a b c",
		"/rg/providers/NS//t/n":    "rg providers NS t n",
		"/rg/Providers/NS//t/n":    "rg Providers NS t n",
		"/rg/providers/NS///t/n":   "",
		"/rg/providers//NS/t/n":    "",
		"/rg/providers/NS/t//n":    "",
		"/rg/providers/NS//t//n":   "",
		"/rg//providers/NS/t/n":    "",
		"/rg/providers/NS/t/n/../": "",
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			u, err := url.Parse("https://h" + path)
			if err != nil {
				t.Fatal(err)
			}
			segments, err := splitPath(u)
			if got := strings.Join(segments, " "); err == nil && got != want || (err != nil) != (want == "") {
				t.Errorf("splitPath = %q, %v; want %q", got, err, want)
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	s := newTestServer(f)
	f.Add("/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute//disks/d")
	f.Add("/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/v/subnets/s")
	f.Add("/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/%76m/console")
	f.Add("//subscriptions/S/resourcegroups/")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse("https://h" + path)
		if err != nil {
			return
		}
		segments, err := splitPath(u)
		if err != nil {
			return
		}
		for _, s := range segments {
			if s == "" || strings.ContainsAny(s, "/\x00\n") {
				t.Errorf("splitPath(%q) has the segment %q", path, s)
			}
		}
		target, err := s.routes.find(segments)
		if err == nil && (len(target.verbs) == 0 || len(target.id.Types) != len(target.id.Names)) {
			t.Errorf("find(%q) = %+v", path, target)
		}
	})
}

func TestSign(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &signer{[]byte("key")}
	good := s.sign("/a/b (1)", "uid", now.Add(time.Minute))
	tests := map[string]struct {
		url    string
		at     time.Time
		signed bool
		fails  bool
	}{
		"good":      {good, now, true, false},
		"at end":    {good, now.Add(time.Minute), false, true},
		"unsigned":  {"/a/b", now, false, false},
		"other":     {strings.Replace(good, "/a/", "/c/", 1), now, false, true},
		"of other":  {strings.Replace(good, "of=uid", "of=uid2", 1), now, false, true},
		"of none":   {strings.Replace(good, "of=uid", "x=uid", 1), now, false, true},
		"zero byte": {strings.Replace(good, "?", "%00?", 1), now, false, true},
		"otherwise": {(&signer{[]byte("other")}).sign("/a/b (1)", "uid", now.Add(time.Minute)), now, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			uid, signed, err := s.check(u, tt.at)
			if signed != tt.signed || (err != nil) != tt.fails || signed && uid != "uid" {
				t.Errorf("check = %q, %t, %v; want %t, failure %t", uid, signed, err, tt.signed, tt.fails)
			}
		})
	}
}

func TestSeal(t *testing.T) {
	s := &signer{[]byte("key")}
	token := s.seal("/Subscriptions/s/x/", "rg/name")
	tests := map[string]struct {
		s           *signer
		path, token string
		ok          bool
	}{
		"good":            {s, "/subscriptions/s/X", token, true},
		"another list":    {s, "/subscriptions/s/y", token, false},
		"another cloud":   {&signer{[]byte("other")}, "/subscriptions/s/x", token, false},
		"made up":         {s, "/subscriptions/s/x", "cmcvbmFtZQ", false},
		"not base64":      {s, "/subscriptions/s/x", "!", false},
		"cut short":       {s, "/subscriptions/s/x", token[:len(token)-4], false},
		"of nothing":      {s, "/subscriptions/s/x", "", false},
		"zeros, made up":  {s, "/subscriptions/s/x", strings.Repeat("A", 40), false},
		"signed as a URL": {s, "/subscriptions/s/x", s.sign("/subscriptions/s/x", "uid", time.Unix(0, 0)), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			after, ok := tt.s.open(tt.path, tt.token)
			if ok != tt.ok || ok && after != "rg/name" {
				t.Errorf("open = %q, %t; want %t", after, ok, tt.ok)
			}
		})
	}
}

func TestURLKeyStays(t *testing.T) {
	st := memory.New(memory.Options{})
	defer st.Close()
	a, err := ensureKey(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ensureKey(t.Context(), st)
	if err != nil || string(a) != string(b) || len(a) != 32 {
		t.Errorf("the second start's key is %x, %v; want %x", b, err, a)
	}
}
