package etcd

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestHistory(t *testing.T) {
	type tick struct {
		minute    int
		rev, want int64
	}
	tests := map[string][]tick{
		"young":     {{0, 10, 0}, {59, 20, 0}},
		"aged":      {{0, 10, 0}, {1, 20, 0}, {60, 30, 10}, {61, 30, 20}, {62, 30, 0}, {120, 30, 30}},
		"long gaps": {{0, 10, 0}, {200, 20, 10}, {400, 30, 20}},
		"many":      {{0, 10, 0}, {1, 1500, 500}, {2, 9000, 8000}, {60, 9000, 8000}, {61, 9000, 8000}, {62, 9000, 9000}},
	}
	for name, ticks := range tests {
		h := &history{retention: time.Hour, maxRevisions: 1000}
		for _, tk := range ticks {
			if got := h.advance(time.Unix(0, 0).Add(time.Duration(tk.minute)*time.Minute), tk.rev); got != tk.want {
				t.Errorf("%s: at %d min, revision %d: %d, want %d", name, tk.minute, tk.rev, got, tk.want)
			}
		}
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(slog.New(slog.NewTextHandler(&out, nil))).With(zap.String("who", "me"))
	log.Info("quiet")
	log.Warn(noise[0])
	log.Warn("loud", zap.Int("n", 7), zap.Error(errors.New("cause")))
	log.Error("bad", zap.String("what", strings.Repeat("x", maxAttr+1)))
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{`level=WARN msg="etcd: loud" who=me n=7 err=cause`, `level=ERROR msg="etcd: bad" who=me what=` + strings.Repeat("x", maxAttr) + "…"}
	if len(got) != len(want) {
		t.Fatalf("logged %q", got)
	}
	for i := range want {
		if !strings.HasSuffix(got[i], want[i]) {
			t.Errorf("logged %q, want %q", got[i], want[i])
		}
	}
}

// TestFatal says that a fatal is an error that can be recovered, with its
// cause, and not the end of the process.
func TestFatal(t *testing.T) {
	log := newLogger(slog.New(slog.DiscardHandler))
	defer func() {
		if r := recover(); r != "torn: cause" {
			t.Errorf("panic %v", r)
		}
	}()
	log.Fatal("torn", zap.Error(errors.New("cause")))
}

// TestEndOnPanic says that nobody survives a panic of etcd in his goroutine.
func TestEndOnPanic(t *testing.T) {
	const child = "LAZULI_TEST_PANIC"
	if os.Getenv(child) != "" {
		func() {
			defer func() { recover() }() //nolint:errcheck // as an HTTP server does
			defer endOnPanic()
			panic("torn")
		}()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestEndOnPanic$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); !ended || !strings.Contains(string(out), "panic: torn") {
		t.Errorf("%v: %s", err, out)
	}
}
