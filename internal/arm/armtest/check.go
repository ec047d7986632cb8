package armtest

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
)

var update = flag.Bool("update", false, "write the golden files")

// WantError checks that err is an ARM error with the code; "" wants none.
func WantError(t testing.TB, err error, code string) {
	t.Helper()
	ae, ok := errors.AsType[*arm.Error](err)
	switch {
	case code == "" && err != nil:
		t.Errorf("error = %v, want none", err)
	case code == "":
	case !ok:
		t.Errorf("error = %v, want %s", err, code)
	case ae.Code != code:
		t.Errorf("error = %v (target %s), want %s", ae, ae.Target, code)
	case ae.Status < 400 || ae.Message == "":
		t.Errorf("error %s has status %d and message %q", code, ae.Status, ae.Message)
	}
}

// Golden compares body with testdata/<name>.json; -update writes it.
func Golden(t testing.TB, name string, body any) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	got := JSON(t, body)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// FitsSDK checks that the struct of Azure's SDK that sdk points to has every
// property of body: it reads body and must write all of it again.
func FitsSDK(t testing.TB, body, sdk any) {
	t.Helper()
	ours := []byte(JSON(t, body))
	if err := json.Unmarshal(ours, sdk); err != nil {
		t.Fatalf("the SDK cannot read our body: %v", err)
	}
	var sent, kept any
	if err := json.Unmarshal(ours, &sent); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(JSON(t, sdk)), &kept); err != nil {
		t.Fatal(err)
	}
	compareTrees(t, "", sent, kept)
}

func compareTrees(t testing.TB, at string, sent, kept any) {
	t.Helper()
	switch s := sent.(type) {
	case map[string]any:
		k, _ := kept.(map[string]any)
		for name, v := range s {
			if _, ok := k[name]; !ok {
				t.Errorf("the SDK does not know %s.%s = %v", at, name, v)
				continue
			}
			compareTrees(t, at+"."+name, v, k[name])
		}
	case []any:
		k, _ := kept.([]any)
		if len(k) != len(s) {
			t.Errorf("the SDK reads %d of %d elements of %s", len(k), len(s), at)
			return
		}
		for i := range s {
			compareTrees(t, at+"[]", s[i], k[i])
		}
	}
}
