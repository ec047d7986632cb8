package routed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/node/nodetest"
)

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"network":{"uid":"a"},"transit":{"host":"100.64.0.2","router":"100.64.0.3"}}`))
	f.Add([]byte(`{"network":{"uid":"a"},"transit":{"host":"fd00::1","router":"fd00::2"}}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := parseState("a", b)
		if s.Network.UID != "a" {
			t.Errorf("uid %q", s.Network.UID)
		}
		if s.Transit.Host.IsValid() && s.Transit.Router != s.Transit.Host.Next() {
			t.Errorf("transit %v", s.Transit)
		}
	})
}

func TestStatesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := nodetest.SampleNetwork("senseless", 4)
	l.ensure(n)
	before := l.all(n)
	l.must(l.d.Close())
	l.must(os.WriteFile(filepath.Join(l.dir, "senseless.json"), []byte("\x00\x00"), 0o600))
	l.must(os.WriteFile(filepath.Join(l.dir, "senseless.json.new"), []byte("{"), 0o600))
	l.start()
	got, err := l.d.List(t.Context())
	l.must(err)
	if diff := cmp.Diff([]string{"senseless"}, got); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
	if _, _, ok := l.services.Network(n.UID); ok {
		t.Error("the services were told of a network that is not known")
	}
	l.ensure(n)
	if len(before) == 0 || len(l.all(n)) == 0 {
		t.Error("nothing is listed")
	}
	l.must(l.d.Remove(t.Context(), n.UID))
	if got, _ := l.d.List(t.Context()); len(got) > 0 {
		t.Errorf("networks %v are left", got)
	}
}
