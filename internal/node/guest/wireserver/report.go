package wireserver

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"lazuli/internal/fabric"
)

// maxText is how many characters of a guest's own words are passed on.
const maxText = 1024

// health is a health report: POST /machine?comp=health.
type health struct {
	State       string `xml:"Container>RoleInstanceList>Role>Health>State"`
	SubStatus   string `xml:"Container>RoleInstanceList>Role>Health>Details>SubStatus"`
	Description string `xml:"Container>RoleInstanceList>Role>Health>Details>Description"`
}

var errHealth = errors.New("the body is not a health report")

// readHealth reads a report of at most a few KiB. encoding/xml expands no
// entities but XML's own five and reads no DTD.
func readHealth(r io.Reader) (health, error) {
	var doc struct {
		XMLName xml.Name `xml:"Health"`
		health
	}
	if err := xml.NewDecoder(r).Decode(&doc); err != nil {
		return health{}, errHealth
	}
	h := doc.health
	h.State, h.SubStatus, h.Description = clean(h.State), clean(h.SubStatus), clean(h.Description)
	if h.State == "" {
		return health{}, errHealth
	}
	return h, nil
}

// putStatus is PUT /status of the HostGAPlugin: an order to write a blob for
// the guest.
type putStatus struct {
	Content string `json:"content"` // base64
}

// statusBlob is the agent's account of itself and its extensions.
type statusBlob struct {
	Aggregate struct {
		Agent struct {
			Version          string `json:"version"`
			Status           string `json:"status"`
			FormattedMessage struct {
				Message string `json:"message"`
			} `json:"formattedMessage"`
		} `json:"guestAgentStatus"`
	} `json:"aggregateStatus"`
}

var errStatus = errors.New("the body is not the status of a guest agent")

func readPutStatus(body []byte, now time.Time) (fabric.Agent, error) {
	var p putStatus
	if err := json.Unmarshal(body, &p); err != nil {
		return fabric.Agent{}, errStatus
	}
	blob, err := base64.StdEncoding.DecodeString(p.Content)
	if err != nil {
		return fabric.Agent{}, errStatus
	}
	return readStatus(blob, now)
}

// readStatus reads a status blob. The time is the node's: a guest's clock may
// be anywhere.
func readStatus(blob []byte, now time.Time) (fabric.Agent, error) {
	var s statusBlob
	if err := json.Unmarshal(blob, &s); err != nil {
		return fabric.Agent{}, errStatus
	}
	a := s.Aggregate.Agent
	if a.Status == "" {
		return fabric.Agent{}, errStatus
	}
	return fabric.Agent{
		Version: clean(a.Version), Status: clean(a.Status), Message: clean(a.FormattedMessage.Message), ReportedAt: now,
	}, nil
}

// clean makes a guest's words fit to be shown and logged.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText])
	}
	return strings.TrimSpace(s)
}
