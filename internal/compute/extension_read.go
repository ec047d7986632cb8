package compute

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

const (
	settingsTarget  = "properties.settings"
	protectedTarget = "properties.protectedSettings"
)

// decodeSettings reads settings, which may be none.
func decodeSettings(target string, settings []byte, into any) error {
	if settings == nil {
		return nil
	}
	err := arm.Decode(settings, into)
	if e, ok := errors.AsType[*arm.Error](err); ok {
		return e.At(strings.TrimSuffix(target+"."+e.Target, "."))
	}
	return err
}

type accessSettings struct {
	Username   string `json:"username,omitempty"`
	Password   string `json:"password,omitempty"`
	SSHKey     string `json:"ssh_key,omitempty"`
	Expiration string `json:"expiration,omitempty"`
	ResetSSH   bool   `json:"reset_ssh,omitempty"`
	RemoveUser string `json:"remove_user,omitempty"`
}

// readAccess reads the settings of VMAccessForLinux: all that matters is in the
// protected ones.
func readAccess(settings, protected []byte) (*fabric.Command, error) {
	var none struct{}
	if err := decodeSettings(settingsTarget, settings, &none); err != nil {
		return nil, err
	}
	var s accessSettings
	if err := decodeSettings(protectedTarget, protected, &s); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"username": s.Username, "remove_user": s.RemoveUser} {
		if value != "" && !userName.MatchString(value) {
			return nil, arm.InvalidParameter(protectedTarget+"."+name, "The user name '%s' is not valid: it must be 1 to 32 letters, digits, '_', '.' and '-', beginning with a letter or '_'.", value)
		}
	}
	if s.Username == "" && cmp.Or(s.Password, s.SSHKey, s.Expiration) != "" {
		return nil, arm.InvalidParameter(protectedTarget+".username", "There is something to set, but no username.")
	}
	if strings.ContainsFunc(s.Password, unicode.IsControl) || len(s.Password) > maxAccessPassword {
		return nil, arm.InvalidParameter(protectedTarget+".password", "The password must have no control characters, and %d bytes at most.", maxAccessPassword)
	}
	s.SSHKey = strings.TrimSpace(s.SSHKey)
	if s.SSHKey != "" && (!isPublicKey(s.SSHKey) || strings.ContainsFunc(s.SSHKey, unicode.IsControl)) {
		return nil, arm.InvalidParameter(protectedTarget+".ssh_key", notPublicKey)
	}
	if _, err := time.Parse(time.DateOnly, s.Expiration); err != nil && s.Expiration != "" {
		return nil, arm.InvalidParameter(protectedTarget+".expiration", "The expiration '%s' is no date like 2030-12-31.", s.Expiration)
	}
	return &fabric.Command{Access: &fabric.Access{
		RemoveUser: s.RemoveUser, ResetSSH: s.ResetSSH, Username: s.Username, Password: s.Password, SSHKey: s.SSHKey, Expires: s.Expiration,
	}}, nil
}

const maxAccessPassword = 256

type customSettings struct {
	Command  string   `json:"commandToExecute,omitempty"`
	Script   string   `json:"script,omitempty"` // base64, perhaps of gzip
	FileURIs []string `json:"fileUris,omitempty"`
	KeepCRLF *bool    `json:"skipDos2Unix,omitempty"`
	// Timestamp is changed to have the same carried out again.
	Timestamp *int64 `json:"timestamp,omitempty"`
}

// readCustomScript reads the settings of CustomScript. Each may be protected.
func readCustomScript(settings, protected []byte) (*fabric.Command, error) {
	var s customSettings
	if err := decodeSettings(settingsTarget, settings, &s); err != nil {
		return nil, err
	}
	open := s
	if err := decodeSettings(protectedTarget, protected, &s); err != nil {
		return nil, err
	}
	target := protectedTarget
	if open.Command == s.Command && open.Script == s.Script {
		target = settingsTarget
	}
	switch {
	case len(s.FileURIs) > 0 || len(open.FileURIs) > 0:
		return nil, arm.BadRequest("UnsupportedProperty", "The setting 'fileUris' is not supported by this cloud, which downloads nothing. Put the script in 'script', or have 'commandToExecute' download what it needs.").At(settingsTarget + ".fileUris")
	case open.Command != "" && open.Command != s.Command || open.Script != "" && open.Script != s.Script:
		return nil, arm.InvalidParameter(settingsTarget, "'commandToExecute' and 'script' can be in the settings or in the protected settings, not in both.")
	case s.Command != "" && s.Script != "":
		return nil, arm.InvalidParameter(target, "'commandToExecute' and 'script' were both specified, but only one is validate at a time. Leave one of them out.")
	case len(s.Command) > maxScript || strings.ContainsRune(s.Command, 0):
		return nil, arm.InvalidParameter(target+".commandToExecute", "The command is longer than %d bytes, or has a zero byte in it.", maxScript)
	case s.Command != "":
		return &fabric.Command{Script: s.Command}, nil
	case s.Script == "":
		return nil, arm.InvalidParameter(target, "'commandToExecute' or 'script' is needed.")
	}
	script, err := unpackScript(s.Script)
	if err != nil {
		return nil, arm.InvalidParameter(target+".script", "The script must be base64 of text, perhaps packed by gzip, of up to %d bytes.", maxScript)
	}
	if s.KeepCRLF == nil || !*s.KeepCRLF {
		script = strings.ReplaceAll(script, "\r\n", "\n")
	}
	return &fabric.Command{Script: script}, nil
}

// unpackScript reads base64, and what it says if that is gzip.
func unpackScript(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return "", err
		}
		if b, err = io.ReadAll(io.LimitReader(z, maxScript+1)); err != nil {
			return "", err
		}
	}
	if len(b) > maxScript || bytes.IndexByte(b, 0) >= 0 {
		return "", errors.New("it is too long, or no text")
	}
	return string(b), nil
}
