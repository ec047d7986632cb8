package arm

import "testing"

func TestParseID(t *testing.T) {
	tests := map[string]struct {
		in, typ, name, out string
		bad                bool
	}{
		"subscription": {in: "/subscriptions/S", name: "S", out: "/subscriptions/S"},
		"group":        {in: "/Subscriptions/S/resourcegroups/G/", name: "G", out: "/subscriptions/S/resourceGroups/G"},
		"resource": {
			in: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/d", typ: "Microsoft.Compute/disks", name: "d",
			out: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/d",
		},
		"child": {
			in: "/subscriptions/S/RESOURCEGROUPS/G/PROVIDERS/Microsoft.Network/virtualNetworks/v/subnets/s", typ: "Microsoft.Network/virtualNetworks/subnets", name: "s",
			out: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
		},
		"on a resource": {
			in: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/d/PROVIDERS/Microsoft.Authorization/locks/l", typ: "Microsoft.Authorization/locks", name: "l",
			out: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/d/providers/Microsoft.Authorization/locks/l",
		},
		"on a group": {
			in: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Authorization/locks/l", typ: "Microsoft.Authorization/locks", name: "l",
			out: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Authorization/locks/l",
		},
		"named providers": {
			in: "/subscriptions/S/resourceGroups/G/providers/NS/t/providers", typ: "NS/t", name: "providers",
			out: "/subscriptions/S/resourceGroups/G/providers/NS/t/providers",
		},
		"on what is on": {in: "/subscriptions/S/resourceGroups/G/providers/NS/t/n/providers/NS/t/n/providers/NS/t/n", bad: true},
		"on by half":    {in: "/subscriptions/S/resourceGroups/G/providers/NS/t/n/providers/NS", bad: true},
		"no slash":      {in: "subscriptions/S", bad: true},
		"half a type":   {in: "/subscriptions/S/resourceGroups/G/providers/NS/t", bad: true},
		"empty segment": {in: "/subscriptions//resourceGroups/G", bad: true},
		"no providers":  {in: "/subscriptions/S/resourceGroups/G/foo/NS/t/n", bad: true},
		"line break":    {in: "/subscriptions/S\n", bad: true},
		"empty":         {in: "", bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			id, err := ParseID(tt.in)
			if tt.bad {
				if err == nil {
					t.Fatalf("ParseID(%q) = %v, want an error", tt.in, id)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if id.Type() != tt.typ || id.Name() != tt.name || id.String() != tt.out {
				t.Errorf("ParseID(%q) = type %q name %q string %q, want %q %q %q", tt.in, id.Type(), id.Name(), id.String(), tt.typ, tt.name, tt.out)
			}
		})
	}
}

// What is on a resource, its group and its subscription are stored at keys of
// their own.
func TestExtensionKeys(t *testing.T) {
	const lock = "Microsoft.Authorization/locks"
	disk := Group("S", "G").Resource("Microsoft.Compute/disks", "d")
	seen := map[string]ID{}
	for _, base := range []ID{{Subscription: "S"}, Group("S", "G"), disk, disk.Child("parts", "p")} {
		id := base.Extension(lock, "l")
		if !id.Base().Equal(base) {
			t.Errorf("%s is on %s, want %s", id, id.Base(), base)
		}
		if other, twice := seen[Key(id)]; twice {
			t.Errorf("%s and %s have one key", id, other)
		}
		seen[Key(id)] = id
		if again, err := ParseID(id.String()); err != nil || !again.Equal(id) || Key(again) != Key(id) {
			t.Errorf("%s is read as %s, %v", id, again, err)
		}
	}
}

// Two ids are equal when they are stored at one key, whatever else Unicode has
// to say about the case of letters.
func TestEqualIsByKey(t *testing.T) {
	tests := map[string]struct {
		a, b string
		want bool
	}{
		"same":          {"rg", "rg", true},
		"case":          {"RG", "rg", true},
		"other":         {"rg", "rg2", false},
		"long s":        {"rgs", "rgſ", false},
		"kelvin":        {"rgk", "rgK", true},
		"dotted i":      {"rgi", "rgİ", true},
		"accents":       {"RGÉ", "rgé", true},
		"greek sigmas":  {"rgσ", "rgς", false},
		"with a prefix": {"rg", "rg/x", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := Group("S", tt.a).Resource("NS/t", "n"), Group("s", tt.b).Resource("ns/T", "N")
			if got := a.Equal(b); got != tt.want || (Key(a) == Key(b)) != tt.want {
				t.Errorf("%q and %q: equal %t, keys equal %t; want %t", a, b, got, Key(a) == Key(b), tt.want)
			}
		})
	}
	if (ID{Namespace: "NS", Types: []string{"diſks"}, Names: []string{"d"}}).Is("NS/disks") {
		t.Error("an id that is stored elsewhere is taken for one of the type")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("/subscriptions/S/resourceGroups/G/providers/N/a/b/c/d")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		if err != nil || !again.Equal(id) || Key(again) != Key(id) {
			t.Errorf("ParseID(%q) = %v, read again %v, %v", s, id, again, err)
		}
	})
}
