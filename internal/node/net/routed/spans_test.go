package routed

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lazuli/internal/fabric"
)

func TestMerge(t *testing.T) {
	const top = 1<<32 - 1
	for name, c := range map[string]struct{ in, want []span }{
		"none":         {nil, nil},
		"one":          {[]span{{1, 2}}, []span{{1, 2}}},
		"apart":        {[]span{{5, 6}, {1, 2}}, []span{{1, 2}, {5, 6}}},
		"touching":     {[]span{{1, 2}, {3, 4}}, []span{{1, 4}}},
		"overlapping":  {[]span{{1, 5}, {3, 4}, {4, 9}}, []span{{1, 9}}},
		"to the top":   {[]span{{7, top}, {top, top}}, []span{{7, top}}},
		"both extents": {[]span{{0, 0}, {top, top}}, []span{{0, 0}, {top, top}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, merge(c.in), cmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrefixSet(t *testing.T) {
	in, out := addrNumber(netip.MustParseAddr("10.1.2.3")), addrNumber(netip.MustParseAddr("192.0.2.1"))
	for name, c := range map[string]struct {
		prefixes   []string
		not        bool
		all        bool
		in, outToo bool
	}{
		"none":              {nil, false, true, true, true},
		"one":               {[]string{"10.1.2.0/24"}, false, false, true, false},
		"not one":           {[]string{"10.1.2.0/24"}, true, false, false, true},
		"several":           {[]string{"10.1.0.0/16", "10.0.0.0/8", "10.1.2.3/32"}, false, false, true, false},
		"halves":            {[]string{"0.0.0.0/1", "128.0.0.0/1"}, false, true, true, true},
		"everything":        {[]string{"0.0.0.0/0"}, false, true, true, true},
		"not everything":    {[]string{"0.0.0.0/0"}, true, false, false, false},
		"other family":      {[]string{"2001:db8::/32"}, false, false, false, false},
		"not other family":  {[]string{"2001:db8::/32"}, true, true, true, true},
		"with other family": {[]string{"2001:db8::/32", "10.0.0.0/8"}, false, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := prefixSet(prefixes(c.prefixes...), c.not)
			if s.all() != c.all || s.contains(in) != c.in || s.contains(out) != c.outToo {
				t.Errorf("all %v, in %v, out %v; want %v, %v, %v", s.all(), s.contains(in), s.contains(out), c.all, c.in, c.outToo)
			}
		})
	}
}

func TestMergeKeepsMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fabric.PortRange {
			return fabric.PortRange{First: rapid.Uint16().Draw(t, "first"), Last: rapid.Uint16().Draw(t, "last")}
		}), 1, 8).Draw(t, "ranges")
		x := rapid.Uint16().Draw(t, "port")
		want := false
		for _, r := range ranges {
			want = want || r.First <= x && x <= r.Last
		}
		s := portSet(ranges)
		if got := s.contains(uint32(x)); got != want {
			t.Fatalf("%d in %v: %v, want %v", x, ranges, got, want)
		}
		for i := 1; i < len(s.spans); i++ {
			if s.spans[i].first <= s.spans[i-1].last+1 {
				t.Fatalf("%v touch", s.spans)
			}
		}
	})
}
