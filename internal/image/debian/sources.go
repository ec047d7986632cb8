package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"lazuli/internal/image/bootdisk"
)

// ErrSources says that the host's apt does not know where to get the release.
var ErrSources = errors.New("the host's apt has no source for it")

// keyring has the keys of all Debian releases (package debian-archive-keyring).
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// target is the format in which apt-get lists what it gets packages from.
const target = "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(CREATED_BY)"

// sources makes a sources.list of the host's own sources for a release of
// Debian. Whatever else the host has (vendors' packages, other releases) stays
// out of the image. Without lists, they are fetched once.
func sources(ctx context.Context, codename string) (string, error) {
	list, err := listTargets(ctx, codename)
	if err != nil || list != "" {
		return list, err
	}
	if err := bootdisk.Run(ctx, "", "apt-get", "-q", "update"); err != nil {
		return "", err
	}
	list, err = listTargets(ctx, codename)
	if err == nil && list == "" {
		return "", fmt.Errorf("sources of Debian %s: %w: add it to /etc/apt and run apt-get update", codename, ErrSources)
	}
	return list, err
}

func listTargets(ctx context.Context, codename string) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", target).Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	return sourcesList(string(out), codename), nil
}

// sourcesList makes the sources.list of what apt-get indextargets said.
func sourcesList(targets, codename string) string {
	options := "[arch=amd64]"
	if _, err := os.Stat(keyring); err == nil {
		options = "[arch=amd64 signed-by=" + keyring + "]"
	}
	var lines []string
	for l := range strings.Lines(targets) {
		f := strings.Split(strings.TrimSpace(l), "|")
		if len(f) != 5 || f[0] != "Debian" || f[4] != "Packages" {
			continue
		}
		release, component, uri := f[1], f[2], f[3]
		if release != codename && !strings.HasPrefix(release, codename+"-") {
			continue
		}
		line := fmt.Sprintf("deb %s %s %s %s\n", options, uri, release, component)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, " "+codename+" main\n") }) {
		return ""
	}
	return strings.Join(lines, "")
}

// acquire is how the host's apt gets things: proxies, timeouts, certificates.
// It is for the build alone, and does not stay in the image.
func acquire(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return "", fmt.Errorf("apt-config dump: %w", err)
	}
	var b strings.Builder
	b.WriteString("Acquire::Languages \"none\";\n")
	for l := range strings.Lines(string(out)) {
		if strings.HasPrefix(l, "Acquire::") && !strings.HasPrefix(l, "Acquire::Languages") {
			b.WriteString(l)
		}
	}
	return b.String(), nil
}
