package compute

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

const osTarget = "properties.osProfile"

// firstBoot is all that a guest is told on its first boot.
type firstBoot struct {
	OSProfile
	Secrets
}

// readOSProfile reads what the guest of a new machine is told. The guest of a
// machine whose disk was attached is told nothing.
func readOSProfile(e *vmEdit, b *osProfile) (*firstBoot, error) {
	if e.Spec.OSDisk.CreateOption == attached {
		if b != nil {
			return nil, arm.InvalidParameter(osTarget, "Parameter 'osProfile' is not allowed: the OS disk is attached, and its system has been set up already.")
		}
		return nil, nil
	}
	if b == nil {
		return nil, arm.InvalidParameter(osTarget, "Required parameter 'osProfile' is missing: the machine's system has to be set up.")
	}
	if len(b.Secrets) > 0 {
		return nil, arm.Unsupported(osTarget + ".secrets")
	}
	os := &firstBoot{
		OSProfile: OSProfile{
			ComputerName: orElse(b.ComputerName, e.ID.Name()), AdminUsername: b.AdminUsername, ProvisionVMAgent: true,
			RefuseExtensions: b.AllowExtensions != nil && !*b.AllowExtensions,
		},
		Secrets: Secrets{AdminPassword: b.AdminPassword, CustomData: b.CustomData},
	}
	if err := readLinux(&os.OSProfile, b.Linux); err != nil {
		return nil, err
	}
	if os.DisablePassword { // templates give the key, or whatever, as one then
		os.AdminPassword = ""
	}
	for _, check := range []func(*firstBoot) error{checkComputerName, checkUsername, checkPassword, checkKeys, checkAuthentication, checkCustomData} {
		if err := check(os); err != nil {
			return nil, err
		}
	}
	return os, nil
}

func checkCustomData(os *firstBoot) error { return checkData(osTarget+".customData", os.CustomData) }

func readLinux(os *OSProfile, b *linuxOS) error {
	if b == nil {
		return nil
	}
	const target = osTarget + ".linuxConfiguration"
	os.DisablePassword = b.DisablePassword != nil && *b.DisablePassword
	os.ProvisionVMAgent = b.ProvisionVMAgent == nil || *b.ProvisionVMAgent
	if b.SSH != nil {
		for _, k := range b.SSH.PublicKeys {
			os.SSHKeys = append(os.SSHKeys, fabric.SSHKey{Path: k.Path, KeyData: k.KeyData})
		}
	}
	if b.Patch == nil {
		return nil
	}
	var err error
	if os.PatchMode, err = arm.Enum(target+".patchSettings.patchMode", b.Patch.PatchMode, imageDefault); err != nil {
		return err
	}
	os.AssessmentMode, err = arm.Enum(target+".patchSettings.assessmentMode", b.Patch.AssessmentMode, imageDefault)
	return err
}

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	userName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)
)

const maxHostName = 64

func checkComputerName(os *firstBoot) error {
	const target = osTarget + ".computerName"
	name := os.ComputerName
	if len(name) > maxHostName || !hostName.MatchString(name) || strings.Trim(name, "0123456789") == "" {
		return arm.InvalidParameter(target, "The computer name '%s' is not valid: it must be 1 to 64 letters, digits, '.' and '-', and not digits only; each part between dots begins and ends with a letter or digit.", name)
	}
	return nil
}

// reservedNames are the user names that Azure refuses.
var reservedNames = strings.Fields(`administrator admin user user1 test user2 test1 user3 admin1 1 123 a
	actuser adm admin2 aspnet backup console david guest john owner root server sql support
	support_388945a0 sys test2 test3 user4 user5`)

func checkUsername(os *firstBoot) error {
	const target = osTarget + ".adminUsername"
	switch name := os.AdminUsername; {
	case name == "":
		return arm.InvalidParameter(target, "Required parameter 'adminUsername' is missing.")
	case slices.Contains(reservedNames, strings.ToLower(name)):
		return arm.InvalidParameter(target, "The Admin Username specified is not allowed: '%s' is a reserved name.", name)
	case !userName.MatchString(name):
		return arm.InvalidParameter(target, "The Admin Username '%s' is not valid: it must be 1 to 32 letters, digits, '_', '.' and '-', beginning with a letter or '_'.", name)
	}
	return nil
}

// commonPasswords are those that Azure refuses, though complex enough.
var commonPasswords = strings.Fields(`abc@123 P@$$w0rd P@ssw0rd P@ssword123 Pa$$word pass@word1 Password! Password1 Password22 iloveyou!`)

const minPassword, maxPassword = 12, 72

func checkPassword(os *firstBoot) error {
	const target = osTarget + ".adminPassword"
	p := os.AdminPassword
	if p == "" {
		return nil
	}
	kinds := map[string]bool{}
	for _, r := range p {
		switch {
		case unicode.IsControl(r):
			return arm.InvalidParameter(target, "The supplied password must not have control characters in it.")
		case unicode.IsUpper(r):
			kinds["upper"] = true
		case unicode.IsLower(r):
			kinds["lower"] = true
		case unicode.IsDigit(r):
			kinds["digit"] = true
		default:
			kinds["special"] = true
		}
	}
	if len(p) < minPassword || len(p) > maxPassword || len(kinds) < 3 || slices.Contains(commonPasswords, p) {
		return arm.InvalidParameter(target, "The supplied password must be between %d-%d characters long and must satisfy at least 3 of password complexity requirements from the following: 1) Contains an uppercase character 2) Contains a lowercase character 3) Contains a numeric digit 4) Contains a special character.", minPassword, maxPassword)
	}
	return nil
}

const maxKeys = 100

const notPublicKey = "The key is not a public key in the form of OpenSSH: 'ssh-ed25519 AAAA… comment'."

func checkKeys(os *firstBoot) error {
	const target = osTarget + ".linuxConfiguration.ssh.publicKeys"
	path := "/home/" + os.AdminUsername + "/.ssh/authorized_keys"
	if len(os.SSHKeys) > maxKeys {
		return arm.InvalidParameter(target, "There are %d keys; at most %d are allowed.", len(os.SSHKeys), maxKeys)
	}
	for i := range os.SSHKeys {
		k := &os.SSHKeys[i]
		if k.Path == "" {
			k.Path = path
		}
		if k.Path != path {
			return arm.InvalidParameter(elementOf(target, i)+".path", "Destination path for SSH public keys is currently limited to its default value %s.", path)
		}
		if !isPublicKey(k.KeyData) {
			return arm.InvalidParameter(elementOf(target, i)+".keyData", notPublicKey)
		}
	}
	return nil
}

// keyTypes are the kinds of public keys that guests take.
var keyTypes = strings.Fields(`ssh-rsa ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521
	sk-ssh-ed25519@openssh.com sk-ecdsa-sha2-nistp256@openssh.com`)

// isPublicKey says whether s is one line of authorized_keys without options:
// a type, the key in base64, which begins with its type, and a comment.
func isPublicKey(s string) bool {
	s = strings.TrimSpace(s)
	f := strings.Fields(s)
	if len(f) < 2 || strings.ContainsAny(s, "\n\r") || !slices.Contains(keyTypes, f[0]) {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil || len(b) < 4 {
		return false
	}
	n, rest := uint64(binary.BigEndian.Uint32(b)), b[4:]
	return n < uint64(len(rest)) && string(rest[:n]) == f[0]
}

func checkAuthentication(os *firstBoot) error {
	const target = osTarget + ".linuxConfiguration"
	switch {
	case os.DisablePassword && len(os.SSHKeys) == 0:
		return arm.InvalidParameter(target, "Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	case !os.DisablePassword && os.AdminPassword == "":
		return arm.InvalidParameter(osTarget+".adminPassword", "Required parameter 'adminPassword' is missing, since password authentication is not disabled.")
	}
	return nil
}

// keysOnly says that the body disables passwords.
func (b *osProfile) keysOnly() bool {
	return b.Linux != nil && b.Linux.DisablePassword != nil && *b.Linux.DisablePassword
}

// checkOSUnchanged holds a body to what the guest was told at first. Secrets
// may be left out, for they are never shown.
func checkOSUnchanged(was *OSProfile, b *osProfile) error {
	switch {
	case b.ComputerName != "" && b.ComputerName != was.ComputerName:
		return notAllowed("osProfile.computerName")
	case b.AdminUsername != "" && b.AdminUsername != was.AdminUsername:
		return notAllowed("osProfile.adminUsername")
	case b.AdminPassword != "" && !(was.DisablePassword && b.keysOnly()) && !was.PasswordDigest.of(b.AdminPassword):
		return notAllowed("osProfile.adminPassword")
	case b.CustomData != "" && !was.CustomDataDigest.of(b.CustomData):
		return notAllowed("osProfile.customData")
	}
	if len(b.Secrets) > 0 {
		return arm.Unsupported(osTarget + ".secrets")
	}
	if b.AllowExtensions != nil && *b.AllowExtensions == was.RefuseExtensions {
		return notAllowed("osProfile.allowExtensionOperations")
	}
	if b.Linux == nil {
		return nil
	}
	return checkLinuxUnchanged(was, b.Linux)
}

func checkLinuxUnchanged(was *OSProfile, b *linuxOS) error {
	differs := func(given *bool, is bool) bool { return given != nil && *given != is }
	switch {
	case differs(b.DisablePassword, was.DisablePassword):
		return notAllowed("linuxConfiguration.disablePasswordAuthentication")
	case differs(b.ProvisionVMAgent, was.ProvisionVMAgent):
		return notAllowed("linuxConfiguration.provisionVMAgent")
	case b.SSH != nil && !sameKeys(was.SSHKeys, b.SSH.PublicKeys):
		return notAllowed("linuxConfiguration.ssh.publicKeys")
	case b.Patch == nil:
		return nil
	}
	return readLinux(&OSProfile{}, &linuxOS{Patch: b.Patch})
}

func sameKeys(was []fabric.SSHKey, given []sshKey) bool {
	return slices.EqualFunc(was, given, func(k fabric.SSHKey, g sshKey) bool {
		return strings.TrimSpace(k.KeyData) == strings.TrimSpace(g.KeyData) && (g.Path == "" || g.Path == k.Path)
	})
}
