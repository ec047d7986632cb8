package template_test

import (
	"context"
	"fmt"
	"strings"

	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// cloud is where resources are made: one that takes what it is given, and
// gives every address the next number.
type cloud map[string]*jsonc.Object

func (c cloud) put(id string, body *jsonc.Object) {
	if strings.Contains(id, "publicIPAddresses") {
		body = jsonc.NewObject("properties", jsonc.NewObject("ipAddress", fmt.Sprintf("198.18.0.%d", len(c)+1)))
	}
	c[id] = body
	fmt.Printf("PUT %s\n    %s\n", id, jsonc.Append(nil, body))
}

func (c cloud) Get(_ context.Context, id, _ string) ([]byte, error) {
	if o, ok := c[id]; ok {
		return jsonc.Append(nil, o), nil
	}
	return nil, template.ErrUnknown
}

func (c cloud) Post(context.Context, string, string, string, []byte) ([]byte, error) {
	return nil, template.ErrUnknown
}

const machines = `{
  "parameters": {"count": {"type": "int", "maxValue": 10}},
  "resources": [
    {
      "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-09-01",
      "name": "[format('nic{0}', copyIndex())]", // depends on its address, which it refers to
      "copy": {"name": "nics", "count": "[parameters('count')]"},
      "properties": {"note": "[reference(format('ip{0}', copyIndex())).ipAddress]"}
    },
    {
      "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-09-01",
      "name": "[format('ip{0}', copyIndex())]",
      "copy": {"name": "ips", "count": "[parameters('count')]", "mode": "serial"}
    }
  ],
  "outputs": {
    "addresses": {"type": "array", "copy": {"count": "[parameters('count')]", "input": "[reference(format('ip{0}', copyIndex())).ipAddress]"}}
  }
}`

func Example() {
	ctx, there := context.Background(), cloud{}
	t, err := template.Parse([]byte(machines))
	if err != nil {
		panic(err)
	}
	plan, err := t.Plan(ctx, template.Input{
		Name:       "two",
		Scope:      template.Scope{Subscription: "s", ResourceGroup: "g"},
		Parameters: jsonc.NewObject("count", jsonc.NewObject("value", int64(2))),
	})
	if err != nil {
		panic(err)
	}
	for left := len(plan.Resources); left > 0; { // a reconciler comes back for each pass
		for _, r := range plan.Resources {
			_, done := there[r.ID]
			for _, i := range r.DependsOn {
				done = done || there[plan.Resources[i].ID] == nil
			}
			if done || !r.Deployed() {
				continue
			}
			body, err := plan.Body(ctx, r, there)
			if err != nil {
				panic(err)
			}
			there.put(r.ID, body)
			left--
		}
	}
	outputs, err := plan.Outputs(ctx, there)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", jsonc.Append(nil, outputs))

	_, err = t.Plan(ctx, template.Input{Parameters: jsonc.NewObject("count", jsonc.NewObject("value", int64(11)))})
	fmt.Println(err)
	// Output:
	// PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/ip0
	//     {"properties":{"ipAddress":"198.18.0.1"}}
	// PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/ip1
	//     {"properties":{"ipAddress":"198.18.0.2"}}
	// PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic0
	//     {"properties":{"note":"198.18.0.1"}}
	// PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic1
	//     {"properties":{"note":"198.18.0.2"}}
	// {"addresses":{"type":"Array","value":["198.18.0.1","198.18.0.2"]}}
	// InvalidTemplate: Deployment template validation failed: 'The provided value for the template parameter 'count' at line '2' and column '27' is not valid. The value should be less than or equal to '10'. Please see https://aka.ms/arm-syntax-parameters for usage details.'.
}
