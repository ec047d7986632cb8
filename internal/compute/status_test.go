package compute

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

func TestPowerState(t *testing.T) {
	const none = fabric.MachineState("")
	tests := map[string]struct {
		want        fabric.Power
		state       fabric.MachineState
		deallocated bool
		pending     bool
		is          string
	}{
		"new":                          {fabric.Running, none, false, true, Starting},
		"coming up":                    {fabric.Running, fabric.MachineStarting, false, true, Starting},
		"up":                           {fabric.Running, fabric.MachineRunning, false, false, Running},
		"up, asked to restart":         {fabric.Running, fabric.MachineRunning, false, true, Running},
		"host's disk is full":          {fabric.Running, fabric.MachinePaused, false, false, Running},
		"going down":                   {fabric.Stopped, fabric.MachineRunning, false, true, Stopping},
		"down":                         {fabric.Stopped, fabric.MachineStopped, false, false, Stopped},
		"being freed":                  {fabric.Deallocated, fabric.MachineRunning, false, true, Deallocating},
		"down, being freed":            {fabric.Deallocated, fabric.MachineStopped, false, true, Deallocating},
		"freed":                        {fabric.Deallocated, fabric.MachineStopped, true, false, Deallocated},
		"freed, nowhere":               {fabric.Deallocated, none, false, false, Deallocated},
		"freed, asked to start":        {fabric.Running, fabric.MachineStopped, true, true, Starting},
		"the guest turned itself off":  {fabric.Running, fabric.MachineStopped, false, false, Stopped},
		"off by itself, asked to free": {fabric.Deallocated, fabric.MachineStopped, false, true, Deallocating},
		"could never start":            {fabric.Running, fabric.MachineFailed, false, false, Deallocated},
		"stopping while it starts":     {fabric.Stopped, fabric.MachineStarting, false, true, Stopping},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := &vmObject{Meta: arm.Meta{Generation: 2}, Spec: VM{Power: tt.want}, Status: VMStatus{State: tt.state, Deallocated: tt.deallocated, ObservedGeneration: 2}}
			if tt.pending {
				o.Status.ObservedGeneration = 1
			}
			if got := PowerState(o); got != tt.is {
				t.Errorf("PowerState = %s, want %s", got, tt.is)
			}
		})
	}
}

func TestProvisioningState(t *testing.T) {
	now := time.Now()
	problem := &fabric.Problem{Code: "X"}
	tests := map[string]struct {
		meta     arm.Meta
		observed int64
		failure  *fabric.Problem
		want     string
	}{
		"new":           {arm.Meta{Generation: 1}, 0, nil, "Creating"},
		"done":          {arm.Meta{Generation: 1}, 1, nil, "Succeeded"},
		"changing":      {arm.Meta{Generation: 2}, 1, nil, "Updating"},
		"failed":        {arm.Meta{Generation: 2}, 2, problem, "Failed"},
		"trying again":  {arm.Meta{Generation: 3}, 2, problem, "Updating"},
		"being deleted": {arm.Meta{Generation: 3, DeletingAt: &now}, 3, nil, "Deleting"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := provisioningState(&tt.meta, tt.observed, tt.failure); got != tt.want {
				t.Errorf("state = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestInstanceView(t *testing.T) {
	agent := &fabric.Agent{Version: "2.9.1", Status: "Ready", Message: "Guest Agent is running", ReportedAt: armtest.Start}
	tests := map[string]struct {
		body   []string
		action []string
		status func(*VMStatus)
	}{
		"instance_running": {[]string{"more", `"diagnosticsProfile": {"bootDiagnostics": {"enabled": true}}`}, nil, func(s *VMStatus) { s.Agent = agent }},
		"instance_troubled": {nil, nil, func(s *VMStatus) {
			s.State, s.Problem = fabric.MachinePaused, &fabric.Problem{Code: "DiskFull", Message: "The disk of its host is full."}
		}},
		"instance_sulking": {nil, nil, func(s *VMStatus) {
			s.Agent = &fabric.Agent{Version: "2.9.1", Status: "NotReady", ReportedAt: armtest.Start}
		}},
		"instance_failed": {nil, nil, func(s *VMStatus) {
			s.State, s.Failure = fabric.MachineFailed, &fabric.Problem{Code: "AllocationFailed", Message: "No node has room."}
		}},
		"instance_image": {nil, []string{"deallocate", "generalize"}, func(s *VMStatus) { s.Agent = agent }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, append([]string{"osDisk", `"osDisk": {"createOption": "FromImage", "name": "os"}`}, tt.body...)...)
			for _, a := range tt.action {
				c.Post(vmID, a, "")
				settleVM(t, c, vmID)
			}
			settleVM(t, c, vmID, tt.status)
			res, err := c.GetPath(Endpoints(testConfig), vmID.String()+"/instanceView", "")
			if err != nil {
				t.Fatal(err)
			}
			armtest.Golden(t, name, res.Body)
			armtest.FitsSDK(t, res.Body, &armcompute.VirtualMachineInstanceView{})
		})
	}
	c := newCloud(t)
	for _, part := range []string{"/instanceView", "/vmSizes"} {
		_, err := c.GetPath(Endpoints(testConfig), vmID.String()+part, "")
		armtest.WantError(t, err, "ResourceNotFound")
	}
}
