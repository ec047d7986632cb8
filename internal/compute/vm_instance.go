package compute

import (
	"strings"
	"time"

	"lazuli/internal/fabric"
)

// instanceView is what a machine is doing now.
type instanceView struct {
	FaultDomain      *int             `json:"platformFaultDomain,omitempty"`
	UpdateDomain     *int             `json:"platformUpdateDomain,omitempty"`
	ComputerName     string           `json:"computerName,omitempty"`
	HyperVGeneration string           `json:"hyperVGeneration"`
	VMAgent          *agentView       `json:"vmAgent,omitempty"`
	Disks            []diskView       `json:"disks"`
	Extensions       []extensionView  `json:"extensions,omitempty"`
	BootDiagnostics  *struct{}        `json:"bootDiagnostics,omitempty"` // without URIs: clients then ask for them
	Statuses         []instanceStatus `json:"statuses"`
}

type agentView struct {
	Version  string           `json:"vmAgentVersion"`
	Statuses []instanceStatus `json:"statuses"`
}

type diskView struct {
	Name     string           `json:"name"`
	Statuses []instanceStatus `json:"statuses"`
}

type instanceStatus struct {
	Code    string     `json:"code"`
	Level   string     `json:"level"`
	Display string     `json:"displayStatus"`
	Message string     `json:"message,omitempty"`
	Time    *time.Time `json:"time,omitempty"`
}

const (
	levelInfo    = "Info"
	levelWarning = "Warning"
	levelError   = "Error"
)

func viewInstance(o *vmObject) *instanceView {
	v := &instanceView{
		FaultDomain: o.Status.FaultDomain, UpdateDomain: o.Status.UpdateDomain,
		HyperVGeneration: generationOf(o.Spec.Firmware), VMAgent: viewAgent(&o.Status),
		Disks: []diskView{}, Extensions: viewExtensionInstances(o), Statuses: viewStatuses(o),
	}
	if o.Spec.OS != nil {
		v.ComputerName = o.Spec.OS.ComputerName
	}
	if b := o.Spec.BootDiagnostics; b != nil && *b {
		v.BootDiagnostics = &struct{}{}
	}
	if PowerState(o) == Deallocated {
		return v
	}
	for _, d := range o.Spec.AllDisks() {
		v.Disks = append(v.Disks, diskView{Name: d.ID.Name(), Statuses: []instanceStatus{provisioned(&o.CreatedAt)}})
	}
	return v
}

func provisioned(at *time.Time) instanceStatus {
	return instanceStatus{Code: "ProvisioningState/succeeded", Level: levelInfo, Display: "Provisioning succeeded", Time: at}
}

// viewStatuses is how far the machine is with what was asked, whether it is
// generalized, what its power is, and what is wrong with it.
func viewStatuses(o *vmObject) []instanceStatus {
	all := []instanceStatus{viewProvisioning(o)}
	if o.Spec.Generalized {
		all = append(all, instanceStatus{Code: "OSState/generalized", Level: levelInfo, Display: "VM generalized"})
	}
	power := PowerState(o)
	all = append(all, instanceStatus{Code: "PowerState/" + power, Level: levelInfo, Display: "VM " + power})
	if p := o.Status.Problem; p != nil {
		all = append(all, instanceStatus{Code: "Problem/" + p.Code, Level: levelWarning, Display: "VM has a problem", Message: p.Message})
	}
	for _, e := range o.Status.Events {
		all = append(all, instanceStatus{Code: "Event/" + e.Code, Level: levelInfo, Display: e.Code, Message: e.Message, Time: &e.At})
	}
	return all
}

func viewProvisioning(o *vmObject) instanceStatus {
	state := provisioningState(&o.Meta, o.Status.ObservedGeneration, o.Status.Failure)
	s := instanceStatus{Code: "ProvisioningState/" + strings.ToLower(state), Level: levelInfo, Display: state, Time: &o.ChangedAt}
	switch state {
	case "Succeeded":
		s = provisioned(o.Status.ChangedAt)
		if s.Time == nil {
			s.Time = o.Status.CreatedAt
		}
	case "Failed":
		s.Code, s.Level = "ProvisioningState/failed/"+o.Status.Failure.Code, levelError
		s.Display, s.Message = "Provisioning failed", o.Status.Failure.Message
	}
	return s
}

// viewAgent shows the guest's agent; nil while the machine has none to show.
func viewAgent(s *VMStatus) *agentView {
	if s.State != fabric.MachineRunning || s.Agent == nil {
		return nil
	}
	a := s.Agent
	status := instanceStatus{Code: "ProvisioningState/succeeded", Level: levelInfo, Display: a.Status, Message: a.Message, Time: &a.ReportedAt}
	if a.Status != "Ready" {
		status.Code, status.Level = "ProvisioningState/Unavailable", levelWarning
	}
	return &agentView{Version: a.Version, Statuses: []instanceStatus{status}}
}
