package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// resource answers a verb on one resource.
func (f *fakeCloud) resource(h http.Header, r *http.Request, path []string) (int, any) {
	url := "/" + strings.Join(path, "/")
	id := strings.ToLower(url)
	was := f.resources[id]
	switch r.Method {
	case http.MethodGet:
		if was == nil {
			return notFound(url)
		}
		return 200, was
	case http.MethodDelete:
		if was == nil {
			return 204, nil
		}
		f.begin(h, &fakeOperation{end: func() { f.remove(id) }})
		return 202, nil
	}
	var body object
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return 400, failed("InvalidRequestContent", err.Error())
	}
	if len(path) > 4 && f.resources[strings.ToLower("/"+strings.Join(path[:4], "/"))] == nil {
		return 404, failed("ResourceGroupNotFound", fmt.Sprintf("Resource group '%s' could not be found.", path[3]))
	}
	if len(path) == 10 { // a child, of a security group
		parent := f.resources[strings.ToLower("/"+strings.Join(path[:8], "/"))]["properties"].(object)
		body["name"] = path[9]
		body["properties"].(object)["provisioningState"] = "Succeeded"
		rules, _ := parent["securityRules"].([]any)
		parent["securityRules"] = append(rules, body)
		return 201, body
	}
	if r.Method == http.MethodPatch {
		return f.patch(was, body)
	}
	if was != nil && r.Header.Get("If-None-Match") == "*" {
		return 412, failed("PreconditionFailed", "It exists.")
	}
	return f.put(h, url, id, path, body)
}

func (f *fakeCloud) put(h http.Header, url, id string, path []string, body object) (int, any) {
	props, _ := body["properties"].(object)
	if props == nil {
		props = object{}
		body["properties"] = props
	}
	body["id"], body["name"] = url, path[len(path)-1]
	props["provisioningState"] = "Succeeded"
	switch strings.ToLower(path[len(path)-2]) {
	case "virtualnetworks":
		for _, s := range props["subnets"].([]any) {
			s.(object)["id"] = url + "/subnets/" + s.(object)["name"].(string)
		}
	case "publicipaddresses":
		f.addresses++
		props["ipAddress"] = fmt.Sprintf("198.18.0.%d", f.addresses+4)
	case "networkinterfaces":
		f.plug(url, props)
	case "disks":
		props["diskState"], props["timeCreated"] = "Unattached", time.Now().UTC()
	case "virtualmachines":
		if status, refusal := f.create(h, id, body); refusal != nil {
			return status, refusal
		}
		f.resources[id] = body
		return 201, body
	}
	f.resources[id] = body
	return 200, body
}

func (f *fakeCloud) plug(url string, props object) {
	config := props["ipConfigurations"].([]any)[0].(object)["properties"].(object)
	f.addresses++
	config["privateIPAddress"] = fmt.Sprintf("10.0.0.%d", f.addresses+4)
	if ref, ok := config["publicIPAddress"].(object); ok {
		ip := f.resources[strings.ToLower(ref["id"].(string))]
		ip["properties"].(object)["ipConfiguration"] = object{"id": url + "/ipConfigurations/ipconfig1"}
	}
}

// create begins to make a machine. One whose name is sick never gets ready.
func (f *fakeCloud) create(h http.Header, id string, vm object) (int, object) {
	props := vm["properties"].(object)
	if size := props["hardwareProfile"].(object)["vmSize"]; size != "Standard_B1s" {
		return 400, failed("InvalidParameter", fmt.Sprintf("The value %s provided for the VM size is not valid.", size))
	}
	props["vmId"] = fmt.Sprintf("44444444-2222-3333-4444-%012d", len(f.operations))
	props["timeCreated"] = time.Now().UTC()
	props["provisioningState"] = "Creating"
	setPower(vm, "starting")
	for _, d := range f.disksOf(vm) {
		url := id[:strings.LastIndex(id, "/virtualmachines")] + "/disks/" + d["name"].(string)
		f.resources[strings.ToLower(url)] = object{"id": url, "name": d["name"], "managedBy": vm["id"], "properties": object{
			"diskState": "Attached", "diskSizeGB": d["diskSizeGB"], "timeCreated": time.Now().UTC()}}
	}
	f.logs[id] = "Linux version 6.1\nguest login: "
	op := &fakeOperation{end: func() { props["provisioningState"] = "Succeeded"; setPower(vm, "running") }}
	if vm["name"] == "sick" {
		op.failure = object{"code": "OSProvisioningTimedOut", "message": "The guest did not report that it is ready."}
		op.end = func() { props["provisioningState"] = "Failed" }
	}
	f.begin(h, op)
	return 0, nil
}

func (f *fakeCloud) disksOf(vm object) []object {
	s := vm["properties"].(object)["storageProfile"].(object)
	disks := []object{s["osDisk"].(object)}
	data, _ := s["dataDisks"].([]any)
	for _, d := range data {
		disks = append(disks, d.(object))
	}
	return disks
}

// patch changes the disks of a machine.
func (f *fakeCloud) patch(vm, body object) (int, any) {
	s := vm["properties"].(object)["storageProfile"].(object)
	change := body["properties"].(object)["storageProfile"].(object)
	if option, ok := change["osDisk"].(object)["deleteOption"]; ok {
		s["osDisk"].(object)["deleteOption"] = option
	}
	data := change["dataDisks"].([]any)
	for _, d := range data {
		if md, ok := d.(object)["managedDisk"].(object); ok {
			id := md["id"].(string)
			disk := f.resources[strings.ToLower(id)]
			if disk == nil {
				return notFound(id)
			}
			disk["managedBy"] = vm["id"]
			d.(object)["name"] = disk["name"]
		}
	}
	for _, d := range f.disksOf(vm)[1:] {
		if !slices.ContainsFunc(data, func(x any) bool { return x.(object)["name"] == d["name"] }) {
			f.release(vm, d)
		}
	}
	s["dataDisks"] = data
	return 200, vm
}

func (f *fakeCloud) diskID(vm, d object) string {
	id := strings.ToLower(vm["id"].(string))
	return id[:strings.LastIndex(id, "/virtualmachines")] + "/disks/" + strings.ToLower(d["name"].(string))
}

func (f *fakeCloud) release(vm, d object) {
	if disk := f.resources[f.diskID(vm, d)]; disk != nil {
		delete(disk, "managedBy")
		disk["properties"].(object)["diskState"] = "Unattached"
	}
}

// remove deletes a resource with what goes with it.
func (f *fakeCloud) remove(id string) {
	vm := f.resources[id]
	delete(f.resources, id)
	if !strings.Contains(id, "/providers/") { // a group
		for other := range f.resources {
			if strings.HasPrefix(other, id+"/") {
				delete(f.resources, other)
			}
		}
	}
	if !strings.Contains(id, "/virtualmachines/") {
		return
	}
	for _, d := range f.disksOf(vm) {
		if d["deleteOption"] == "Delete" {
			delete(f.resources, f.diskID(vm, d))
		} else {
			f.release(vm, d)
		}
	}
	for _, n := range vm["properties"].(object)["networkProfile"].(object)["networkInterfaces"].([]any) {
		delete(f.resources, strings.ToLower(n.(object)["id"].(string)))
	}
}
