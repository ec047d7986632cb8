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

func FuzzParseID(f *testing.F) {
	f.Add("/subscriptions/S/resourceGroups/G/providers/N/a/b/c/d")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		if err != nil || !again.Equal(id) {
			t.Errorf("ParseID(%q) = %v, read again %v, %v", s, id, again, err)
		}
	})
}
