package fabric

import "time"

// Command is something to be done once in a machine's guest, by its agent. What
// it is, is one of Script and Access. Its UID is its name: whoever lost sight of
// a command asks for it by that, and never starts it again.
type Command struct {
	UID string `json:"uid"`
	// Script is run as root; what it begins with "#!" interprets it, else
	// /bin/sh.
	Script string `json:"script,omitempty"`
	// Parameters are given to Script in their order, as arguments, and by their
	// names in its environment where they are names of variables.
	Parameters []Parameter `json:"parameters,omitempty"`
	// Access changes who may log in.
	Access *Access `json:"access,omitempty"`
	// TimeoutSeconds is how long it may take from its start.
	TimeoutSeconds int `json:"timeoutSeconds"`
}

// Parameter of a script.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Access is a change of who may log in to a guest. RemoveUser is done first,
// then ResetSSH, then Username is made, or made to be as told.
type Access struct {
	RemoveUser string `json:"removeUser,omitempty"`
	// ResetSSH has the SSH server take passwords and keys as it does at first.
	ResetSSH bool   `json:"resetSsh,omitempty"`
	Username string `json:"username,omitempty"` // may become root
	Password string `json:"password,omitempty"` // clear; reaches only the guest
	SSHKey   string `json:"sshKey,omitempty"`   // added to the user's keys
	Expires  string `json:"expires,omitempty"`  // "2006-01-02"
}

// CommandReport is how a command ended.
type CommandReport struct {
	UID string `json:"uid"`
	// Problem says why there is no result: it could not be started, took too
	// long, or its end was not seen.
	Problem  *Problem `json:"problem,omitempty"`
	ExitCode int      `json:"exitCode"`
	// Stdout and Stderr are the ends of what it wrote, at most MaxOutput bytes
	// of each.
	Stdout    string     `json:"stdout,omitempty"`
	Stderr    string     `json:"stderr,omitempty"`
	StartedAt *time.Time `json:"startedAt,omitempty"`
	EndedAt   time.Time  `json:"endedAt"`
}

// MaxOutput bounds what is kept of what a command writes, as Azure does.
const MaxOutput = 4096
