package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBhTQxbHY5sWmxfLJ0lnlJXN2ZR4zW1TXsmWQY1YtVVH me"

func write(t *testing.T, content string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(f, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMachineBody(t *testing.T) {
	plain := createOptions{name: "web1", image: "debian-12", size: "Standard_B1s", admin: "azureuser", sshKeys: []string{testKey}}
	full := plain
	full.dataDiskSizes = []string{"4G", "1T"}
	full.deleteDisks = true
	full.tags = map[string]string{"tier": "web"}
	full.passwordFile = write(t, "secret words\n")
	full.customDataFile = write(t, "#cloud-config\n")
	full.userDataFile = "-"
	password := plain
	password.sshKeys, password.passwordFile = nil, "-"
	for name, o := range map[string]createOptions{"plain": plain, "full": full, "password": password} {
		t.Run(name, func(t *testing.T) {
			s, err := o.read(strings.NewReader("from stdin"), keyring{})
			if err != nil {
				t.Fatal(err)
			}
			body := s.body("local", ref("Debian", "debian-12", "12", "latest"), "/nic", []string{"web1-os", "web1-data1", "web1-data2"})
			b, err := json.MarshalIndent(body, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "body-"+name+".golden.json", append(b, '\n'))
		})
	}
}

func TestCreateOptionsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		o    createOptions
		want string
	}{
		"no image":       {createOptions{}, "--image is missing"},
		"firmware":       {createOptions{image: "a", firmware: "coreboot"}, "no firmware"},
		"disk":           {createOptions{image: "a", dataDiskSizes: []string{"4X"}}, "not the size of a disk"},
		"port":           {createOptions{image: "a", ports: []string{"x"}}, "not a port"},
		"key":            {createOptions{image: "a", sshKeys: []string{"nope"}}, "neither a public key"},
		"no such file":   {createOptions{image: "a", customDataFile: "/nope"}, "read --custom-data"},
		"empty password": {createOptions{image: "a", passwordFile: os.DevNull}, "no password in"},
		"stdin twice":    {createOptions{image: "a", customDataFile: "-", userDataFile: "-"}, "only one flag"},
	} {
		if _, err := c.o.read(strings.NewReader(""), keyring{own: t.TempDir()}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
