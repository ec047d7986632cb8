package az_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts can say besides testscript's own. [!] is what may
// stand before.
//
//	[!] az …                    run az; it succeeds
//	exit CODE                   the last az ended with this code
//	[!] is PATH VALUE …         what it printed has these values at these paths
//	like PATH REGEXP …          … and what matches these
//	[!] has PATH VALUE …        … and lists with these in them
//	keep NAME PATH …            $NAME is what it printed at the path
//	device USER PASSWORD ARG …  log in by a device code, as this user
//
// Paths are as in path_test.go. Strings are compared as they are, all else as
// JSON; what is not there is null.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"az": az, "exit": exit, "is": is, "like": like, "has": has, "keep": keep, "device": device,
}

// last is how the last az of a script ended.
type last struct {
	code int
	tree any // of its output, once somebody asked
	read bool
}

type lastKey struct{}

func lastOf(ts *testscript.TestScript) *last { return ts.Value(lastKey{}).(*last) }

func az(ts *testscript.TestScript, neg bool, args []string) {
	l := lastOf(ts)
	*l = last{}
	err := ts.Exec("az", args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		l.code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if neg != (l.code != 0) {
		ts.Fatalf("az ended with %d\n%s", l.code, ts.ReadFile("stderr"))
	}
}

func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: exit CODE")
	}
	if got := strconv.Itoa(lastOf(ts).code); got != args[0] {
		ts.Fatalf("az ended with %s, want %s", got, args[0])
	}
}

func is(ts *testscript.TestScript, neg bool, args []string) {
	pairs(ts, "[!] is PATH VALUE …", args, func(path string, got any, want string) {
		if (text(got) == want) == neg {
			ts.Fatalf("%s is %s, want %s%s", path, text(got), not(neg), want)
		}
	})
}

func like(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: like PATH REGEXP …")
	}
	pairs(ts, "like PATH REGEXP …", args, func(path string, got any, want string) {
		re, err := regexp.Compile(`^(?:` + want + `)$`)
		ts.Check(err)
		if !re.MatchString(text(got)) {
			ts.Fatalf("%s is %s, want something like %s", path, text(got), want)
		}
	})
}

func has(ts *testscript.TestScript, neg bool, args []string) {
	pairs(ts, "[!] has PATH VALUE …", args, func(path string, got any, want string) {
		list, _ := got.([]any)
		found := false
		for _, v := range list {
			found = found || text(v) == want
		}
		if found == neg {
			ts.Fatalf("%s is %s, want it %sto have %s", path, text(got), not(neg), want)
		}
	})
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: keep NAME PATH …")
	}
	if len(args)%2 != 0 || len(args) == 0 {
		ts.Fatalf("usage: keep NAME PATH …")
	}
	for i := 0; i < len(args); i += 2 {
		got := at(ts, args[i+1])
		if got == nil {
			ts.Fatalf("there is no %s to keep", args[i+1])
		}
		ts.Setenv(args[i], text(got))
	}
}

// pairs calls check for each pair of a path and what is said of it.
func pairs(ts *testscript.TestScript, usage string, args []string, check func(path string, got any, want string)) {
	if len(args)%2 != 0 || len(args) == 0 {
		ts.Fatalf("usage: %s", usage)
	}
	for i := 0; i < len(args); i += 2 {
		check(args[i], at(ts, args[i]), args[i+1])
	}
}

// at is what the last az printed at a path.
func at(ts *testscript.TestScript, path string) any {
	l := lastOf(ts)
	if !l.read {
		out := ts.ReadFile("stdout")
		if err := json.Unmarshal([]byte(out), &l.tree); err != nil {
			ts.Fatalf("az printed no JSON, but %q: %v", out, err)
		}
		l.read = true
	}
	v, err := lookUp(l.tree, path)
	ts.Check(err)
	return v
}

// text is a value as scripts write it.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was JSON a moment ago
	}
	return string(b)
}

func not(neg bool) string {
	if neg {
		return "not "
	}
	return ""
}
