package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodCredentials = `{"endpoint":"https://127.0.0.1:8443/","tenantId":"t","clientId":"c","clientSecret":"s","subscriptionId":"sub","caFile":"ca.pem","location":"local"}`

func TestParseCredentials(t *testing.T) {
	got, err := parseCredentials("/data/admin.json", []byte(goodCredentials))
	if err != nil {
		t.Fatal(err)
	}
	want := &credentials{Endpoint: "https://127.0.0.1:8443", TenantID: "t", ClientID: "c", ClientSecret: "s", SubscriptionID: "sub",
		CAFile: "/data/ca.pem", Location: "local", file: "/data/admin.json"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(credentials{})); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"not JSON":    {"{", "", "invalid character"},
		"no tenant":   {`"tenantId":"t"`, `"tenantId":""`, `"tenantId" is missing`},
		"no location": {`,"location":"local"`, ``, `"location" is missing`},
		"plain HTTP":  {"https:", "http:", "not an https:// address"},
		"no host":     {"127.0.0.1:8443", "", "not an https:// address"},
	} {
		_, err := parseCredentials("f", []byte(strings.Replace(goodCredentials, c.from, c.to, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

func FuzzParseCredentials(f *testing.F) {
	f.Add([]byte(goodCredentials))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parseCredentials("/d/f", b); err == nil && (c.ClientSecret == "" || !strings.HasPrefix(c.Endpoint, "https://")) {
			t.Errorf("%q was taken", b)
		}
	})
}

func TestReadCredentialsAdvises(t *testing.T) {
	_, err := readCredentials(filepath.Join(t.TempDir(), "admin.json"))
	a, ok := errors.AsType[*accessError](err)
	if !ok || !strings.Contains(a.next, "lazuli up") {
		t.Errorf("err = %#v, want advice", err)
	}
}

func TestCredentialsFile(t *testing.T) {
	for name, c := range map[string]struct {
		args                  []string
		dirEnv, fileEnv, want string
	}{
		"nothing":        {nil, "", "", "/var/lib/lazuli/admin.json"},
		"directory":      {[]string{"--data-dir=/d"}, "", "", "/d/admin.json"},
		"file":           {[]string{"--data-dir=/d", "--credentials=/f"}, "/e", "/g", "/f"},
		"environment":    {nil, "/e", "", "/e/admin.json"},
		"file in it":     {nil, "/e", "/g", "/g"},
		"flag before it": {[]string{"--data-dir=/d"}, "/e", "/g", "/d/admin.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(envDataDir, c.dirEnv)
			t.Setenv(envCredentials, c.fileEnv)
			a, root := &app{}, parent("lazuli", "", "")
			a.addFlags(root)
			if err := root.ParseFlags(c.args); err != nil {
				t.Fatal(err)
			}
			if got := a.credentialsFile(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got, want := DataDir(root), filepath.Dir(c.want); c.fileEnv == "" && got != want {
				t.Errorf("data directory %q, want %q", got, want)
			}
		})
	}
}

func TestTransportNeedsItsCertificate(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"not there": "none.pem", "none in it": "ca.pem"} {
		if _, err := newTransport(&credentials{CAFile: filepath.Join(dir, file)}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
