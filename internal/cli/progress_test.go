package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	for name, c := range map[string]struct {
		terminal bool
		takes    time.Duration
		want     string
	}{
		"quick":             {false, 900 * time.Millisecond, ""},
		"quick, terminal":   {true, 900 * time.Millisecond, ""},
		"slow":              {false, 5500 * time.Millisecond, "doing …\n"},
		"very slow":         {false, 65500 * time.Millisecond, "doing …\ndoing … 31s\ndoing … 1m1s\n"},
		"slow, on terminal": {true, 1150 * time.Millisecond, eraseLine + "⠋ doing  1s" + eraseLine + "⠙ doing  1s" + eraseLine},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b bytes.Buffer
				p := &progress{w: &b, terminal: c.terminal}
				want := errors.New("end")
				err := p.during("doing", func() error {
					<-time.After(c.takes)
					return want
				})
				if err != want {
					t.Errorf("err = %v", err)
				}
				if b.String() != c.want {
					t.Errorf("told %q, want %q", b.String(), c.want)
				}
			})
		})
	}
}

func TestSpinnerStaysOnItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := &progress{w: &b, terminal: true}
		_ = p.during("doing", func() error {
			<-time.After(time.Minute)
			return nil
		})
		if strings.Contains(b.String(), "\n") || !strings.HasSuffix(b.String(), eraseLine) {
			t.Error("the spinner left something behind")
		}
	})
}
