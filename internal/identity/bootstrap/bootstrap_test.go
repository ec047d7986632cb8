package bootstrap

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/identity"
	"lazuli/internal/store"
	"lazuli/internal/store/memory"
)

func newConfig(t *testing.T) Config {
	t.Helper()
	st := memory.New(memory.Options{})
	t.Cleanup(func() { st.Close() })
	return Config{Dir: filepath.Join(t.TempDir(), "data"), Store: st, Endpoint: "https://localhost:8443"}
}

func run(t *testing.T, c Config) *Cloud {
	t.Helper()
	cloud, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// checkWorks logs in with what is in the credential file.
func checkWorks(t *testing.T, c Config, cloud *Cloud) {
	t.Helper()
	b, err := os.ReadFile(cloud.AdminFile)
	if err != nil {
		t.Fatal(err)
	}
	var a Admin
	if err := json.Unmarshal(b, &a); err != nil || a != cloud.Admin {
		t.Errorf("%s = %+v, %v; want %+v", cloud.AdminFile, a, err, cloud.Admin)
	}
	ids, err := identity.New(t.Context(), identity.Config{Store: c.Store, TenantID: cloud.TenantID, Hosts: cloud.Hosts})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ids.Login(t.Context(), a.ClientID, a.ClientSecret, a.Endpoint, "localhost", ""); err != nil {
		t.Errorf("the administrator's login: %v", err)
	}
	sub, err := arm.FindSubscription(t.Context(), c.Store, a.SubscriptionID)
	if err != nil || sub == nil || sub.TenantID != cloud.TenantID {
		t.Errorf("the subscription = %+v, %v", sub, err)
	}
	ca, err := os.ReadFile(cloud.CAFile)
	if err != nil || string(ca) != string(cloud.Authority.CertificatePEM()) {
		t.Errorf("%s is not the authority's certificate: %v", cloud.CAFile, err)
	}
	if err := cloud.Server.Certificate.CheckSignatureFrom(cloud.Authority.Certificate); err != nil {
		t.Error(err)
	}
	if err := cloud.Server.Certificate.VerifyHostname("localhost"); err != nil {
		t.Error(err)
	}
}

// lasting is what must never change once it was handed out.
func lasting(c *Cloud) string {
	return fmt.Sprint(c.Identity, c.Admin.ClientSecret, c.Authority.Certificate.SerialNumber)
}

func TestFirstAndLaterStarts(t *testing.T) {
	c := newConfig(t)
	first := run(t, c)
	checkWorks(t, c, first)
	if first.Identity.Location != "local" {
		t.Errorf("location = %q, want local", first.Identity.Location)
	}
	second := run(t, c)
	checkWorks(t, c, second)
	if lasting(first) != lasting(second) || !first.Server.Certificate.Equal(second.Server.Certificate) {
		t.Error("the second start finds another cloud")
	}
}

// Whatever became of the administrator, the next start finds a way in; but who
// was disabled stays so.
func TestAdministratorIsThereAgain(t *testing.T) {
	for name, change := range map[string]func(*identity.Principal){
		"of an earlier release": func(p *identity.Principal) { p.Kind, p.Admin, p.ApplicationID, p.Secrets[0].KeyID = "", false, "", "" },
		"application alone":     func(p *identity.Principal) { p.ObjectID, p.Admin = "", false },
		"other secrets":         func(p *identity.Principal) { p.Secrets = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := newConfig(t)
			first := run(t, c)
			admin := func(change func(*identity.Principal)) {
				t.Helper()
				_, err := c.Store.Update(t.Context(), func(tx store.Tx) error {
					p, err := identity.FindPrincipal(t.Context(), tx, first.AdminClientID)
					if err != nil {
						return err
					}
					change(p)
					return identity.PutPrincipal(t.Context(), tx, p)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			admin(change)
			checkWorks(t, c, run(t, c))
			p, err := identity.FindObject(t.Context(), c.Store, first.AdminObjectID)
			if err != nil || p == nil || !p.Admin || p.ApplicationID == "" {
				t.Errorf("the administrator is %+v, %v", p, err)
			}
			admin(func(p *identity.Principal) { p.Disabled, p.Admin = true, false })
			run(t, c)
			if p, err := identity.FindObject(t.Context(), c.Store, first.AdminObjectID); err != nil || !p.Disabled {
				t.Errorf("the administrator is %+v, %v; want it disabled as it was", p, err)
			}
		})
	}
}

func TestFilesAreSecret(t *testing.T) {
	c := newConfig(t)
	run(t, c)
	if err := os.Chmod(filepath.Join(c.Dir, "ca.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, c)
	for name, want := range map[string]os.FileMode{".": 0o700, "ca.pem": 0o600, "server.pem": 0o600, "control.pem": 0o600, "admin.json": 0o600, "ca.crt": 0o644} {
		fi, err := os.Stat(filepath.Join(c.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fi.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

var errCrash = errors.New("crash")

// Every start that ends before any of its effects is followed by one that
// works, and what was in place already stays.
func TestEveryCrash(t *testing.T) {
	for n := 0; ; n++ {
		c := newConfig(t)
		crashing := c
		left := n
		crashing.before = func(string) error {
			if left == 0 {
				return errCrash
			}
			left--
			return nil
		}
		_, err := Run(t.Context(), crashing)
		if err == nil {
			if n < 8 {
				t.Errorf("a first start has %d effects, want more", n)
			}
			return
		}
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		kept := filesOf(t, c.Dir)
		cloud := run(t, c)
		checkWorks(t, c, cloud)
		for name, was := range kept {
			now, err := os.ReadFile(filepath.Join(c.Dir, name))
			if strings.HasPrefix(name, leftover) {
				if err == nil {
					t.Errorf("crash %d: %s is left over", n, name)
				}
			} else if string(now) != was {
				t.Errorf("crash %d: %s has changed", n, name)
			}
		}
		if again := run(t, c); lasting(again) != lasting(cloud) {
			t.Errorf("crash %d: the third start finds another cloud", n)
		}
	}
}

func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, e := range es {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m[e.Name()] = string(b)
	}
	return m
}

func TestServerCertificateFollows(t *testing.T) {
	c := newConfig(t)
	first := run(t, c)
	more := c
	more.Names, more.Endpoint = []string{"cloud.test", "10.0.0.1"}, "https://cloud.test"
	second := run(t, more)
	checkWorks(t, more, second)
	if lasting(first) != lasting(second) {
		t.Error("another name makes another cloud")
	}
	for _, n := range []string{"cloud.test", "10.0.0.1", "localhost", "::1"} {
		if err := second.Server.Certificate.VerifyHostname(n); err != nil || !slices.Contains(second.Hosts, n) {
			t.Errorf("%s: %v, hosts %v", n, err, second.Hosts)
		}
	}
	if second.Admin.Endpoint != "https://cloud.test" {
		t.Errorf("admin.json's endpoint = %q", second.Admin.Endpoint)
	}
	later := more
	later.Now = func() time.Time { return time.Now().Add(700 * 24 * time.Hour) }
	if third := run(t, later); third.Server.Certificate.Equal(second.Server.Certificate) || lasting(third) != lasting(second) {
		t.Error("near its end the server's certificate is not renewed alone")
	}
}

func TestLostAdminFile(t *testing.T) {
	c := newConfig(t)
	first := run(t, c)
	if err := os.Remove(first.AdminFile); err != nil {
		t.Fatal(err)
	}
	second := run(t, c)
	checkWorks(t, c, second)
	if second.Identity != first.Identity || second.Admin.ClientSecret == first.Admin.ClientSecret {
		t.Error("a lost credential file does not get a new secret for the same cloud")
	}
}

// Another server of the cloud has a directory of its own.
func TestSecondServer(t *testing.T) {
	c := newConfig(t)
	first := run(t, c)
	other := c
	other.Dir = filepath.Join(t.TempDir(), "b")
	second := run(t, other)
	checkWorks(t, other, second)
	checkWorks(t, c, first)
	if first.Identity != second.Identity {
		t.Error("two servers of one store are two clouds")
	}
}

func TestRunRefuses(t *testing.T) {
	tests := map[string]func(t *testing.T, c *Config){
		"endpoint by http":   func(_ *testing.T, c *Config) { c.Endpoint = "http://localhost" },
		"endpoint with path": func(_ *testing.T, c *Config) { c.Endpoint = "https://localhost/x" },
		"no endpoint":        func(_ *testing.T, c *Config) { c.Endpoint = "" },
		"bad name":           func(_ *testing.T, c *Config) { c.Names = []string{"a b"} },
		"other location":     func(t *testing.T, c *Config) { run(t, *c); c.Location = "elsewhere" },
		"other cloud's file": func(t *testing.T, c *Config) { run(t, *c); c.Store = newConfig(t).Store },
		"broken authority": func(t *testing.T, c *Config) {
			run(t, *c)
			if err := os.WriteFile(filepath.Join(c.Dir, "ca.pem"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"locked": func(t *testing.T, c *Config) {
			s, err := newStart(*c)
			if err != nil {
				t.Fatal(err)
			}
			unlock, err := s.lock()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(unlock)
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConfig(t)
			prepare(t, &c)
			if cloud, err := Run(t.Context(), c); err == nil {
				t.Errorf("Run = %+v, want an error", cloud.Identity)
			}
		})
	}
}
