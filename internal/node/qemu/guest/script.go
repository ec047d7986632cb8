package guest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lazuli/internal/fabric"
	"lazuli/internal/node"
)

//go:embed command.sh
var commandScript string

//go:embed access.sh
var accessScript string

// Dir is where a guest keeps the commands that it was told. It is on its disk:
// that a command was started is not forgotten when the guest restarts.
const Dir = "/var/lib/lazuli/commands"

// Shell interprets what Args returns.
const Shell = "/bin/sh"

// Verb is what to do about a command.
type Verb string

// The verbs. Boot is about none.
const (
	Boot   Verb = "boot" // prints an id of the guest's present boot
	Begin  Verb = "begin"
	Look   Verb = "look"
	Kill   Verb = "kill"
	Forget Verb = "forget"
)

// refused is the exit code of what the guest cannot do, now or later.
const refused = 10

// Args are those of the shell that does it. dir is Dir, but in tests.
func Args(v Verb, dir, boot, command string) []string {
	return []string{"-c", commandScript, "lazuli", string(v), dir, command, boot}
}

// Input is what begin reads: a script that does the command, in an empty
// directory of its own.
func Input(c fabric.Command) []byte {
	if c.Access != nil {
		return access(c.Access)
	}
	var b bytes.Buffer
	for _, p := range c.Parameters {
		if variable.MatchString(p.Name) {
			fmt.Fprintf(&b, "export %s=%s\n", p.Name, quote(p.Value))
		}
	}
	end := "END-" + c.UID
	fmt.Fprintf(&b, "cat >script <<'%s'\n%s\n%s\nchmod 700 script\nrm -f run\n", end, strings.TrimSuffix(c.Script, "\n"), end)
	if !strings.HasPrefix(c.Script, "#!") {
		b.WriteString("sh ")
	}
	b.WriteString("./script")
	for _, p := range c.Parameters {
		b.WriteString(" " + quote(p.Value))
	}
	b.WriteString("\n")
	return b.Bytes()
}

// variable is the name of one.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func access(a *fabric.Access) []byte {
	var b bytes.Buffer
	reset := ""
	if a.ResetSSH {
		reset = "yes"
	}
	for _, v := range [][2]string{
		{"remove", a.RemoveUser}, {"reset", reset}, {"user", a.Username},
		{"password", a.Password}, {"key", a.SSHKey}, {"expires", a.Expires},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], quote(v[1]))
	}
	b.WriteString("rm -f run\n")
	b.WriteString(accessScript)
	return b.Bytes()
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// ErrAnswer says that the guest answers what it should not.
var ErrAnswer = errors.New("the guest answers nonsense")

// Check says what is wrong with how a verb ended; a *fabric.Problem is for good.
func Check(code int, stderr []byte) error {
	switch code {
	case 0:
		return nil
	case refused:
		return &fabric.Problem{Code: "VMAgentCommandRefused", Message: "The command could not be started: " + Text(stderr, maxWords) + "."}
	}
	return fmt.Errorf("%w: exit code %d: %s", ErrAnswer, code, Text(stderr, maxWords))
}

const maxWords = 500

// Text is the end of what a guest wrote, at most limit bytes of it, as text.
func Text(b []byte, limit int) string {
	if len(b) > limit {
		b = b[len(b)-limit:]
	}
	s := strings.ToValidUTF8(strings.TrimSpace(string(b)), "�")
	if len(s) > limit { // of bytes that were none of UTF-8
		s = strings.ToValidUTF8(s[len(s)-limit:], "")
	}
	return s
}

// ParseBoot reads what Boot prints.
func ParseBoot(stdout []byte) (string, error) {
	s := strings.TrimSpace(string(stdout))
	if !bootID.MatchString(s) {
		return "", fmt.Errorf("%w: %.80q is no boot", ErrAnswer, s)
	}
	return s, nil
}

var bootID = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// ParseLook reads what Look writes.
func ParseLook(stdout, stderr []byte) (node.CommandProgress, error) {
	head, out, ok := bytes.Cut(stdout, []byte("\n"))
	word, number, ok2 := strings.Cut(string(head), " ")
	code, err := strconv.ParseUint(number, 10, 8)
	state := node.CommandState(word)
	if !ok || !ok2 || err != nil || !known[state] {
		return node.CommandProgress{}, fmt.Errorf("%w: %.80q is no state of a command", ErrAnswer, head)
	}
	return node.CommandProgress{State: state, ExitCode: int(code), Stdout: last(out), Stderr: last(stderr)}, nil
}

var known = map[node.CommandState]bool{
	node.CommandUnknown: true, node.CommandRunning: true, node.CommandEnded: true, node.CommandBroken: true,
}

func last(b []byte) []byte { return b[max(0, len(b)-fabric.MaxOutput):] }
