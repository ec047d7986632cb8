package fabric

// Message is what the control plane sends a node on the stream of its
// assignment: first a full one, then what changed.
type Message struct {
	// Full says that this is all of the assignment. What a node knew besides
	// is no longer its to act on, and is left as it is.
	Full bool `json:"full,omitempty"`
	Assignment
	// Forget names things that are no longer assigned: the node neither acts
	// on them nor reports them.
	Forget []Ref `json:"forget,omitempty"`
}

// Ref names one thing on a node.
type Ref struct {
	Kind Kind   `json:"kind"`
	UID  string `json:"uid"`
}

// Kind is a kind of thing on a node.
type Kind string

// The kinds.
const (
	KindMachine Kind = "machine"
	KindDisk    Kind = "disk"
	KindImage   Kind = "image"
	KindNetwork Kind = "network"
)
