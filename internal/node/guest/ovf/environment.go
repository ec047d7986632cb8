package ovf

import (
	"bytes"
	"crypto/sha1"
	"encoding/xml"
	"errors"
	"fmt"
	"unicode/utf8"

	"lazuli/internal/fabric"
)

// ErrNotProvisioned is returned for a machine that is told nothing: its disk
// was not made from a generalised image.
var ErrNotProvisioned = errors.New("machine is not provisioned")

// The structure is that of Azure's own ovf-env.xml, read by cloud-init
// (OvfEnvXml in its Azure helpers) and by the Azure Linux agent. Both look for
// names of elements and, in part, for prefixes: so those are spelled out.
type environment struct {
	XMLName      xml.Name `xml:"Environment"`
	NS           string   `xml:"xmlns,attr"`
	NSOE         string   `xml:"xmlns:oe,attr"`
	NSWA         string   `xml:"xmlns:wa,attr"`
	NSXSI        string   `xml:"xmlns:xsi,attr"`
	Provisioning provisioningSection
	Platform     platformSection
}

type provisioningSection struct {
	XMLName xml.Name `xml:"wa:ProvisioningSection"`
	Version string   `xml:"wa:Version"`
	Linux   linuxSet
}

type linuxSet struct {
	XMLName             xml.Name   `xml:"LinuxProvisioningConfigurationSet"`
	NS                  string     `xml:"xmlns,attr"`
	NSI                 string     `xml:"xmlns:i,attr"`
	Type                string     `xml:"ConfigurationSetType"`
	HostName            string     `xml:"HostName"`
	UserName            string     `xml:"UserName"`
	UserPassword        string     `xml:"UserPassword,omitempty"`
	DisablePasswordAuth bool       `xml:"DisableSshPasswordAuthentication"`
	SSH                 *sshAccess `xml:"SSH"`
	CustomData          string     `xml:"CustomData,omitempty"`
}

type sshAccess struct {
	Keys []publicKey `xml:"PublicKeys>PublicKey"`
}

type publicKey struct {
	Fingerprint string `xml:"Fingerprint"`
	Path        string `xml:"Path"`
	Value       string `xml:"Value"`
}

type platformSection struct {
	XMLName  xml.Name `xml:"wa:PlatformSettingsSection"`
	Version  string   `xml:"wa:Version"`
	Settings platformSettings
}

type platformSettings struct {
	XMLName             xml.Name `xml:"PlatformSettings"`
	NS                  string   `xml:"xmlns,attr"`
	ProvisionGuestAgent bool     `xml:"ProvisionGuestAgent"`
	PackageName         nothing  `xml:"GuestAgentPackageName"`
	PreprovisionedVM    bool     `xml:"PreprovisionedVm"`
	TrustedImage        bool     `xml:"EnableTrustedImageIdentifier"`
}

type nothing struct {
	Nil bool `xml:"xsi:nil,attr"`
}

// Environment writes ovf-env.xml. The same provision gives the same bytes.
func Environment(p fabric.Provision) ([]byte, error) {
	if p.ComputerName == "" {
		return nil, ErrNotProvisioned
	}
	if err := check(p); err != nil {
		return nil, err
	}
	const wa = "http://schemas.microsoft.com/windowsazure"
	const ovf = "http://schemas.dmtf.org/ovf/environment/1"
	const xsi = "http://www.w3.org/2001/XMLSchema-instance"
	env := environment{
		NS: ovf, NSOE: ovf, NSWA: wa, NSXSI: xsi,
		Provisioning: provisioningSection{Version: "1.0", Linux: linuxSet{
			NS: wa, NSI: xsi,
			Type:                "LinuxProvisioningConfiguration",
			HostName:            p.ComputerName,
			UserName:            p.AdminUsername,
			UserPassword:        p.AdminPassword,
			DisablePasswordAuth: p.DisablePasswordAuth,
			SSH:                 access(p.SSHKeys),
			CustomData:          p.CustomData,
		}},
		Platform: platformSection{Version: "1.0", Settings: platformSettings{
			NS: wa, ProvisionGuestAgent: p.ProvisionVMAgent, PackageName: nothing{Nil: true},
		}},
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(env); err != nil {
		return nil, fmt.Errorf("write ovf-env.xml: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func access(keys []fabric.SSHKey) *sshAccess {
	if len(keys) == 0 {
		return nil
	}
	a := &sshAccess{}
	for _, k := range keys {
		// With a Value present the fingerprint only has to be there.
		a.Keys = append(a.Keys, publicKey{fmt.Sprintf("%X", sha1.Sum([]byte(k.KeyData))), k.Path, k.KeyData})
	}
	return a
}

// check refuses text that XML cannot carry: encoding/xml would replace it, and
// the guest would get another password than its owner chose.
func check(p fabric.Provision) error {
	fields := []struct{ name, text string }{
		{"computerName", p.ComputerName},
		{"adminUsername", p.AdminUsername},
		{"adminPassword", p.AdminPassword},
		{"customData", p.CustomData},
	}
	for _, k := range p.SSHKeys {
		fields = append(fields, struct{ name, text string }{"ssh key path", k.Path}, struct{ name, text string }{"ssh key", k.KeyData})
	}
	for _, f := range fields {
		if !portable(f.text) {
			return fmt.Errorf("%s has a character that XML cannot carry", f.name)
		}
	}
	return nil
}

func portable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		ok := r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xFFFD || r >= 0x10000
		if !ok {
			return false
		}
	}
	return true
}
