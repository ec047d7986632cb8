package cloudtest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lazuli/internal/store/etcd"
)

// Traces are what the cloud has on its host, each a line: processes,
// devices, addresses, routes, rules and files. What is taken
// before and after something shows what it has left behind.
func (c *Cloud) Traces() []string {
	c.T.Helper()
	var all []string
	for _, p := range c.Processes() {
		all = append(all, "process of machine "+p.Machine)
	}
	for _, look := range [][]string{{"ip", "-o", "link"}, {"ip", "-o", "address"}, {"ip", "route"}, {"ip", "rule"}, {"nft", "list", "ruleset"}} {
		out, err := c.Host.Command(context.Background(), look[0], look[1:]...).Output()
		if err != nil {
			c.T.Fatalf("%v: %v", look, err)
		}
		for line := range strings.Lines(string(out)) {
			all = append(all, look[0]+" "+strings.TrimSpace(line))
		}
	}
	return append(all, c.files()...)
}

// files are those of the data directory, but for the state's own.
func (c *Cloud) files() []string {
	var all []string
	err := filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(c.Dir, path)
		if d.IsDir() && rel == "state" {
			return fs.SkipDir
		}
		all = append(all, "file "+rel)
		return nil
	})
	if err != nil {
		c.T.Error(err)
	}
	return all
}

// Keys are the keys of the cloud's state. The daemon must be down.
func (c *Cloud) Keys() []string {
	c.T.Helper()
	st, err := etcd.Open(context.Background(), etcd.Options{Dir: filepath.Join(c.Dir, "state")})
	if err != nil {
		c.T.Fatal(err)
	}
	defer st.Close()
	entries, err := st.List(context.Background(), "/")
	if err != nil {
		c.T.Fatal(err)
	}
	keys := make([]string, 0, len(entries))
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys
}

// Situation is what a person would look at when a machine does not answer.
func (c *Cloud) Situation() string {
	var out strings.Builder
	look := func(what string, text []byte, err error) {
		fmt.Fprintf(&out, "--- %s\n%s", what, text)
		if err != nil {
			fmt.Fprintln(&out, err)
		}
	}
	text, err := c.Run("vm", "list")
	look("vm list", []byte(text), err)
	for uid := range c.Machines() {
		dir := filepath.Join(c.Dir, "machines", uid)
		for _, name := range []string{"serial.log", "qemu.log"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			look(uid+" "+name, text[max(0, len(text)-6000):], err)
		}
	}
	spaces := append([]string{c.Host.Name}, c.Namespaces()...)
	for _, space := range spaces {
		for _, args := range [][]string{{"ip", "address"}, {"ip", "route"}, {"ip", "neigh"}, {"nft", "list", "ruleset"}} {
			text, err := exec.Command("nsenter", append([]string{"--net=/run/netns/" + space}, args...)...).CombinedOutput()
			look(space+": "+strings.Join(args, " "), text, err)
		}
	}
	return out.String()
}
