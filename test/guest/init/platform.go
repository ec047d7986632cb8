package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The addresses of the platform, fixed by Azure.
const (
	metadataURL = "http://169.254.169.254/metadata/instance?api-version=2021-08-01&extended=true"
	wireURL     = "http://168.63.129.16"
)

var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, DisableKeepAlives: true},
}

// instance is what the guest needs of the answer of IMDS.
type instance struct {
	Compute struct {
		VMID      string `json:"vmId"`
		OSProfile struct {
			ComputerName  string `json:"computerName"`
			AdminUsername string `json:"adminUsername"`
		} `json:"osProfile"`
		PublicKeys []struct {
			KeyData string `json:"keyData"`
			Path    string `json:"path"`
		} `json:"publicKeys"`
	} `json:"compute"`
}

// askIMDS asks until it answers, for a minute.
func askIMDS(ctx context.Context) (inst instance, err error) {
	for range each(250*time.Millisecond, time.Minute) {
		var b []byte
		if b, err = send(ctx, http.MethodGet, metadataURL, nil, http.Header{"Metadata": {"true"}}); err == nil {
			err = json.Unmarshal(b, &inst)
			return inst, err
		}
	}
	return inst, fmt.Errorf("imds: %w", err)
}

// goalState is what a health report must repeat.
type goalState struct {
	Incarnation string
	ContainerID string `xml:"Container>ContainerId"`
	InstanceID  string `xml:"Container>RoleInstanceList>RoleInstance>InstanceId"`
}

// health is cloud-init's report to the wireserver.
type health struct {
	XMLName     xml.Name `xml:"Health"`
	Incarnation string   `xml:"GoalStateIncarnation"`
	ContainerID string   `xml:"Container>ContainerId"`
	InstanceID  string   `xml:"Container>RoleInstanceList>Role>InstanceId"`
	State       string   `xml:"Container>RoleInstanceList>Role>Health>State"`
	Details     *details `xml:"Container>RoleInstanceList>Role>Health>Details"`
}

// details say why a guest is not ready.
type details struct{ SubStatus, Description string }

// report tells the wireserver that the guest is ready, or (problem) why its
// provisioning failed.
func report(ctx context.Context, problem error) (err error) {
	for range each(250*time.Millisecond, time.Minute) {
		if err = reportOnce(ctx, problem); err == nil {
			return nil
		}
	}
	return fmt.Errorf("wireserver: %w", err)
}

func reportOnce(ctx context.Context, problem error) error {
	head := http.Header{"X-Ms-Agent-Name": {"WALinuxAgent"}, "X-Ms-Version": {"2012-11-30"}}
	b, err := send(ctx, http.MethodGet, wireURL+"/machine/?comp=goalstate", nil, head)
	if err != nil {
		return err
	}
	var gs goalState
	if err := xml.Unmarshal(b, &gs); err != nil {
		return err
	}
	if gs.Incarnation == "" || gs.ContainerID == "" || gs.InstanceID == "" {
		return errors.New("the goal state names no incarnation, container or instance")
	}
	h := health{Incarnation: gs.Incarnation, ContainerID: gs.ContainerID, InstanceID: gs.InstanceID, State: "Ready"}
	if problem != nil {
		h.State, h.Details = "NotReady", &details{"ProvisioningFailed", problem.Error()}
	}
	body, err := xml.Marshal(h)
	if err != nil {
		return err
	}
	head.Set("Content-Type", "text/xml; charset=utf-8")
	_, err = send(ctx, http.MethodPost, wireURL+"/machine?comp=health", append([]byte(xml.Header), body...), head)
	return err
}

func send(ctx context.Context, method, url string, body []byte, head http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range head {
		req.Header[k] = v // as it is spelled
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return b, err
}
