package main

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// environment is what the guest needs of ovf-env.xml.
type environment struct {
	HostName     string
	UserName     string
	Password     string
	NoPassword   bool // password logins are off
	Keys         []authorizedKey
	CustomData   []byte
	Provisioning string // PreprovisionedVMType; must be empty here
}

type authorizedKey struct{ Path, Value string }

// parseEnvironment reads ovf-env.xml the way cloud-init does: the two sections,
// host name and user name must be there.
func parseEnvironment(b []byte) (environment, error) {
	var doc struct {
		XMLName      xml.Name `xml:"http://schemas.dmtf.org/ovf/environment/1 Environment"`
		Provisioning *struct {
			Set *struct {
				HostName, UserName, UserPassword string
				DisableSshPasswordAuthentication string
				CustomData                       string
				Keys                             []authorizedKey `xml:"SSH>PublicKeys>PublicKey"`
			} `xml:"LinuxProvisioningConfigurationSet"`
		} `xml:"http://schemas.microsoft.com/windowsazure ProvisioningSection"`
		Platform *struct {
			Settings *struct{ PreprovisionedVMType string } `xml:"PlatformSettings"`
		} `xml:"http://schemas.microsoft.com/windowsazure PlatformSettingsSection"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		return environment{}, fmt.Errorf("ovf-env.xml: %w", err)
	}
	if doc.Provisioning == nil || doc.Provisioning.Set == nil {
		return environment{}, errors.New("ovf-env.xml: no LinuxProvisioningConfigurationSet")
	}
	if doc.Platform == nil || doc.Platform.Settings == nil {
		return environment{}, errors.New("ovf-env.xml: no PlatformSettings")
	}
	set := doc.Provisioning.Set
	if set.HostName == "" || set.UserName == "" {
		return environment{}, errors.New("ovf-env.xml: no HostName or no UserName")
	}
	custom, err := base64.StdEncoding.DecodeString(strings.TrimSpace(set.CustomData))
	if err != nil {
		return environment{}, fmt.Errorf("ovf-env.xml: CustomData: %w", err)
	}
	return environment{
		HostName: set.HostName, UserName: set.UserName, Password: set.UserPassword,
		NoPassword: strings.EqualFold(set.DisableSshPasswordAuthentication, "true"),
		Keys:       set.Keys, CustomData: custom, Provisioning: doc.Platform.Settings.PreprovisionedVMType,
	}, nil
}
