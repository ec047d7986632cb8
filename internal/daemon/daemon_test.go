package daemon

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/identity/certs"
)

func serverConfig(dir string) ServerConfig {
	return ServerConfig{
		DataDir: dir, Listen: "127.0.0.1:0", NodeListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		PublicPool: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")},
	}
}

// up runs a cloud with a fake node until stop is called.
func up(t *testing.T, dir string, log *slog.Logger) (s *Server, stop func()) {
	t.Helper()
	sc := serverConfig(dir)
	sc.Log = log
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan *Server, 1), make(chan error, 1)
	go func() {
		ended <- Up(ctx, sc, NodeConfig{DataDir: dir, Join: Join{Name: "node1"}, Fake: true, Log: log}, func(s *Server) { ready <- s })
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Up = %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case s = <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return s, stop
}

func TestTwoAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	log := slog.New(slog.DiscardHandler)
	if pid, err := Holder(dir); pid != 0 || err != nil {
		t.Errorf("Holder of nothing = %d, %v", pid, err)
	}
	_, stop := up(t, dir, log)
	if pid, err := Holder(dir); pid != os.Getpid() || err != nil {
		t.Errorf("Holder = %d, %v, want %d", pid, err, os.Getpid())
	}
	check := func(what string, err error) {
		t.Helper()
		inUse, ok := errors.AsType[*InUseError](err)
		if !ok || inUse.PID != os.Getpid() || inUse.Dir != dir {
			t.Errorf("a second %s: %v, want that the first is in the way", what, err)
		}
	}
	_, err := NewServer(t.Context(), serverConfig(dir))
	check("control plane", err)
	volatile := serverConfig(dir)
	volatile.Volatile = true
	_, err = NewServer(t.Context(), volatile)
	check("volatile control plane", err)
	_, err = NewNode(t.Context(), NodeConfig{DataDir: dir, Fake: true, Log: log})
	check("node", err)
	stop()
	if pid, err := Holder(dir); pid != 0 || err != nil {
		t.Errorf("Holder after the end = %d, %v, want none", pid, err)
	}
	up(t, dir, log)
}

// Starts that were cut short anywhere are followed by one that works.
func TestHalfMade(t *testing.T) {
	write := func(t *testing.T, dir, name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]func(t *testing.T, dir string){
		"nothing":        func(*testing.T, string) {},
		"the directory":  func(t *testing.T, dir string) { write(t, dir, serverLock, "") },
		"an empty state": func(t *testing.T, dir string) { write(t, dir, "state/lock", "") },
		"a begun state":  func(t *testing.T, dir string) { write(t, dir, "state/store.json", `{"format":1}`) },
		"half a member": func(t *testing.T, dir string) {
			write(t, dir, "state/store.json", `{"format":1}`)
			write(t, dir, "state/member/snap/db", "half")
		},
		"a dead one's": func(t *testing.T, dir string) { write(t, dir, serverLock, "1\n"); write(t, dir, nodeLock, "1\n") },
		"directories": func(t *testing.T, dir string) {
			write(t, dir, "disks/x.new", "")
			write(t, dir, "agent/machines/.new-1", "")
		},
		"too open a mode": func(t *testing.T, dir string) {
			write(t, dir, "state/lock", "")
			os.Chmod(filepath.Join(dir, "state"), 0o777)
		},
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			leave(t, dir)
			up(t, dir, slog.New(slog.DiscardHandler))
			for name, want := range map[string]fs.FileMode{"state": 0o700, "agent": 0o700, "admin.json": 0o600, serverLock: 0o600} {
				if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || fi.Mode().Perm() != want {
					t.Errorf("%s: %v, %v, want mode %o", name, fi.Mode(), err, want)
				}
			}
		})
	}
}

// What is there already keeps its mode, but for what machines' users need.
func TestDataDirectoryIsLetBe(t *testing.T) {
	tests := map[string]struct{ before, after fs.FileMode }{
		"public":     {0o777 | fs.ModeSticky, 0o777 | fs.ModeSticky},
		"readable":   {0o755, 0o755},
		"private":    {0o700, 0o711},
		"as we make": {0o711, 0o711},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, tt.before); err != nil {
				t.Fatal(err)
			}
			if err := makeDirs(dir, dirs{"below": 0o700}); err != nil {
				t.Fatal(err)
			}
			if fi, err := os.Stat(dir); err != nil || fi.Mode()&^fs.ModeDir != tt.after {
				t.Errorf("mode = %v, %v, want %v", fi.Mode(), err, tt.after)
			}
		})
	}
}

func TestDataDirectoryIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := NewServer(t.Context(), serverConfig(path)); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("err = %v, want that it is not a directory", err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode() != 0o640 {
		t.Errorf("the file is %v now, %v", fi.Mode(), err)
	}
}

// Whichever command comes first makes the directory, and all of them leave it so
// that machines' users can pass.
func TestMakeDataDir(t *testing.T) {
	for name, was := range map[string]os.FileMode{"absent": 0, "closed": 0o700, "open": 0o755} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if was != 0 {
				if err := os.Mkdir(dir, was); err != nil {
					t.Fatal(err)
				}
			}
			if err := MakeDataDir(dir); err != nil {
				t.Fatal(err)
			}
			fi, err := os.Stat(dir)
			if err != nil {
				t.Fatal(err)
			}
			if want := was | dataDirMode; fi.Mode().Perm() != want {
				t.Errorf("mode = %o, want %o", fi.Mode().Perm(), want)
			}
		})
	}
}

func TestUsersOfCloudsOnOneHost(t *testing.T) {
	const block, most = 100_000, 1 << 31
	seen := map[int]string{}
	for _, instance := range []string{"default", "two", "three", "lab", "edge"} {
		first, count := users(instance)
		if first < 700_000 || first%block != 0 || count != block || first+count > most {
			t.Errorf("users of %s: %d from %d", instance, count, first)
		}
		if other, taken := seen[first]; taken {
			t.Errorf("%s and %s share users", instance, other)
		}
		seen[first] = instance
	}
	if a, _ := users(""); a != 700_000 {
		t.Errorf("users begin at %d by default", a)
	}
}

// Machines' users have to get to their disks.
func TestPassage(t *testing.T) {
	above := filepath.Join(t.TempDir(), "above")
	dir := filepath.Join(above, "data")
	if err := os.MkdirAll(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	// t.TempDir is below one that is closed, so that only the words are looked at.
	if err := os.Chmod(above, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := checkPassage(dir); err == nil || !strings.Contains(err.Error(), "chmod o+x "+above) {
		t.Errorf("err = %v, want advice on %s", err, above)
	}
	if err := checkPassage("/usr/lib"); err != nil {
		t.Error(err)
	}
	for dir, want := range map[string]Level{dir: Bad, filepath.Join(above, "not", "there"): Bad, "/usr/lib": OK, "/usr/lib/not/there": OK} {
		if got := passage(dir); got.Level != want {
			t.Errorf("doctor says of %s: %+v, want level %v", dir, got, want)
		}
	}
}

// lines are what a log says; it is safe to read meanwhile.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A node whose certificate is not good says so, and what to do.
func TestRefusedCertificate(t *testing.T) {
	s, _ := up(t, filepath.Join(t.TempDir(), "data"), slog.New(slog.DiscardHandler))
	good, err := Issue(s.Cloud, "node2", s.NodeAddress())
	if err != nil {
		t.Fatal(err)
	}
	issue := func(t *testing.T, a certs.Authority, at time.Time) string {
		t.Helper()
		pair, err := a.IssueNode(fabric.NodeCommonName("node2"), at)
		if err != nil {
			t.Fatal(err)
		}
		pem, err := pair.PEM()
		if err != nil {
			t.Fatal(err)
		}
		return string(pem)
	}
	other, err := certs.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ ca, pair, want string }{
		"expired":          {good.CA, issue(t, s.Cloud.Authority, time.Now().AddDate(-3, 0, 0)), "does not accept this node's certificate"},
		"of another cloud": {string(other.CertificatePEM()), issue(t, other, time.Now()), "not the control plane that made"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			join := *good
			join.CA, join.Pair = tt.ca, tt.pair
			var said lines
			n, err := NewNode(t.Context(), NodeConfig{DataDir: t.TempDir(), Join: join, Fake: true, Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- n.Run(ctx) }()
			for deadline := time.Now().Add(time.Minute); !strings.Contains(said.String(), "level=ERROR") && time.Now().Before(deadline); {
				<-time.After(5 * time.Millisecond)
			}
			cancel()
			if err := errors.Join(<-ended, n.Close()); err != nil {
				t.Error(err)
			}
			if got := said.String(); !strings.Contains(got, tt.want) || !strings.Contains(got, "lazuli server join") {
				t.Errorf("the log says %q, want %q and what to do", got, tt.want)
			}
		})
	}
}
