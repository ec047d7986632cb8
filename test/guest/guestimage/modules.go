package guestimage

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// loadOrder says in which order the named modules and those they need are
// loaded, as paths. dep is depmod's modules.dep: on each line a module and what
// it needs, all of it, what is to be loaded first last.
func loadOrder(dep string, names []string) ([]string, error) {
	path, needs := map[string]string{}, map[string][]string{}
	for l := range strings.Lines(dep) {
		file, rest, ok := strings.Cut(strings.TrimSpace(l), ":")
		if !ok {
			continue
		}
		path[moduleName(file)] = file
		needs[file] = strings.Fields(rest)
	}
	var order []string
	add := func(file string) {
		if !slices.Contains(order, file) {
			order = append(order, file)
		}
	}
	for _, name := range names {
		file, ok := path[moduleName(name)]
		if !ok {
			return nil, fmt.Errorf("the kernel has no module %s", name)
		}
		for _, n := range slices.Backward(needs[file]) {
			add(n)
		}
		add(file)
	}
	return order, nil
}

// moduleName: modules are known by either of '-' and '_'.
func moduleName(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".ko"), "-", "_")
}
