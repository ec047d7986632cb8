package debian

import (
	"bytes"
	"strings"
)

// Progress is how far a build is.
type Progress struct {
	// Phase is what is being done, for people.
	Phase string
	// Percent is an estimate of the time that has gone; it never falls.
	Percent int
}

// The phases, with the share of the time at which each begins, in percent. They
// were measured on two cores with a near mirror.
var phases = []struct {
	said    string // what mmdebstrap says when it begins
	phase   string
	percent int
}{
	{"I: running apt-get update", "fetch package lists", 2},
	{"I: downloading packages with apt", "download the base system", 8},
	{"I: extracting archives", "unpack the base system", 14},
	{"I: installing essential packages", "install the base system", 18},
	{"I: installing remaining packages", "install packages", 30},
	{"I: running --customize-hook", "finish the tree", 80},
}

// Of the phase "install packages": how many packages it sets up, and when it ends.
const (
	installed  = 250
	installEnd = 80
)

// teller turns what mmdebstrap writes into progress. It keeps what was written
// last, for the error.
type teller struct {
	tell  func(Progress)
	now   Progress
	setUp int
	part  []byte // of a line
	tail  []string
}

func (t *teller) at(phase string, percent int) {
	next := Progress{phase, max(percent, t.now.Percent)}
	if next != t.now {
		t.now = next
		t.tell(next)
	}
}

// Write takes in output, line by line.
func (t *teller) Write(b []byte) (int, error) {
	t.part = append(t.part, b...)
	for {
		i := bytes.IndexAny(t.part, "\n\r")
		if i < 0 {
			return len(b), nil
		}
		t.line(string(t.part[:i]))
		t.part = t.part[i+1:]
	}
}

func (t *teller) line(l string) {
	if strings.TrimSpace(l) == "" {
		return
	}
	const kept = 40
	t.tail = append(t.tail, l)
	t.tail = t.tail[max(0, len(t.tail)-kept):]
	for _, p := range phases {
		if strings.HasPrefix(l, p.said) {
			t.at(p.phase, p.percent)
			return
		}
	}
	if name, ok := strings.CutPrefix(l, "Setting up "); ok && t.now.Percent >= 30 {
		t.setUp++
		name, _, _ = strings.Cut(name, " ")
		t.at("install packages: "+name, 30+min(t.setUp, installed)*(installEnd-30)/installed)
	}
}

// offline are words of apt's for a mirror that does not answer.
var offline = []string{"Could not resolve", "Temporary failure resolving", "Could not connect", "Connection timed out",
	"Cannot initiate the connection", "Network is unreachable", "Connection refused", "Connection failed"}

func (t *teller) sawOffline() bool {
	said := strings.Join(t.tail, "\n")
	for _, w := range offline {
		if strings.Contains(said, w) {
			return true
		}
	}
	return false
}
