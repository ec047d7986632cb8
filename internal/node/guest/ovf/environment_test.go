package ovf

import (
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/fabric"
)

var update = flag.Bool("update", false, "write the golden files anew")

// readBack is how cloud-init looks at the file: by namespace, not by prefix.
type readBack struct {
	XMLName xml.Name `xml:"http://schemas.dmtf.org/ovf/environment/1 Environment"`
	Linux   struct {
		HostName     string `xml:"http://schemas.microsoft.com/windowsazure HostName"`
		UserName     string `xml:"http://schemas.microsoft.com/windowsazure UserName"`
		UserPassword string `xml:"http://schemas.microsoft.com/windowsazure UserPassword"`
		Disable      bool   `xml:"http://schemas.microsoft.com/windowsazure DisableSshPasswordAuthentication"`
		CustomData   string `xml:"http://schemas.microsoft.com/windowsazure CustomData"`
		Keys         []struct {
			Path  string `xml:"Path"`
			Value string `xml:"Value"`
		} `xml:"http://schemas.microsoft.com/windowsazure SSH>PublicKeys>PublicKey"`
	} `xml:"http://schemas.microsoft.com/windowsazure ProvisioningSection>LinuxProvisioningConfigurationSet"`
	Platform struct {
		Agent bool `xml:"http://schemas.microsoft.com/windowsazure ProvisionGuestAgent"`
	} `xml:"http://schemas.microsoft.com/windowsazure PlatformSettingsSection>PlatformSettings"`
}

func read(t *testing.T, env []byte) fabric.Provision {
	t.Helper()
	var r readBack
	if err := xml.Unmarshal(env, &r); err != nil {
		t.Fatalf("read back: %v\n%s", err, env)
	}
	p := fabric.Provision{
		ComputerName:        r.Linux.HostName,
		AdminUsername:       r.Linux.UserName,
		AdminPassword:       r.Linux.UserPassword,
		DisablePasswordAuth: r.Linux.Disable,
		CustomData:          r.Linux.CustomData,
		ProvisionVMAgent:    r.Platform.Agent,
	}
	for _, k := range r.Linux.Keys {
		p.SSHKeys = append(p.SSHKeys, fabric.SSHKey{Path: k.Path, KeyData: k.Value})
	}
	return p
}

func TestEnvironmentRoundTrips(t *testing.T) {
	tests := map[string]fabric.Provision{
		"key": {
			ComputerName: "web1", AdminUsername: "azureuser", DisablePasswordAuth: true, ProvisionVMAgent: true,
			SSHKeys: []fabric.SSHKey{{Path: "/home/azureuser/.ssh/authorized_keys", KeyData: "ssh-ed25519 AAAA me@here"}},
		},
		"password":    {ComputerName: "web1", AdminUsername: "u", AdminPassword: `<&>"']]>` + "\t\r\n é漢\U0001F511"},
		"spaces":      {ComputerName: "web1", AdminUsername: "u", AdminPassword: "  lead and trail  "},
		"custom data": {ComputerName: "web1", AdminUsername: "u", CustomData: "I2Nsb3VkLWNvbmZpZwo="},
		"two keys":    {ComputerName: "a", AdminUsername: "u", SSHKeys: []fabric.SSHKey{{Path: "/a", KeyData: "k1\n"}, {Path: "/b", KeyData: "k2 <x@y>"}}},
		"name alone":  {ComputerName: "a"},
		"markup name": {ComputerName: "</HostName><UserName>root</UserName>", AdminUsername: "<!-- -->"},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			env, err := Environment(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, read(t, env)); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvironmentGolden(t *testing.T) {
	got, err := Environment(fabric.Provision{
		ComputerName: "web1", AdminUsername: "azureuser", AdminPassword: "pa<ss>", ProvisionVMAgent: true,
		CustomData: "I2Nsb3VkLWNvbmZpZwo=",
		SSHKeys:    []fabric.SSHKey{{Path: "/home/azureuser/.ssh/authorized_keys", KeyData: "ssh-ed25519 AAAA me@here"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/ovf-env.xml"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

func TestEnvironmentRefuses(t *testing.T) {
	tests := map[string]fabric.Provision{
		"control character": {ComputerName: "a", AdminPassword: "bell\a"},
		"not UTF-8":         {ComputerName: "a", AdminUsername: "\xff"},
		"not a character":   {ComputerName: "a", CustomData: "\uFFFE"},
		"NUL in a key":      {ComputerName: "a", SSHKeys: []fabric.SSHKey{{KeyData: "k\x00"}}},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Environment(p); err == nil {
				t.Error("no error")
			}
		})
	}
	if _, err := Environment(fabric.Provision{AdminUsername: "u"}); !errors.Is(err, ErrNotProvisioned) {
		t.Errorf("no computer name: %v", err)
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add("web1", "azureuser", "p&<>\"'", "I2Nsb3Vk", "ssh-rsa AAAA\r\n")
	f.Add("a", "]]>", "\u2028\r\n\t", "<![CDATA[", "&amp;&#x0;")
	f.Fuzz(func(t *testing.T, name, user, password, data, key string) {
		p := fabric.Provision{
			ComputerName: name, AdminUsername: user, AdminPassword: password, CustomData: data,
			SSHKeys: []fabric.SSHKey{{Path: "/k", KeyData: key}},
		}
		env, err := Environment(p)
		if err != nil {
			return
		}
		if diff := cmp.Diff(p, read(t, env)); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	})
}
