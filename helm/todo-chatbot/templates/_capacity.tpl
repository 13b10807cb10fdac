{{/* A quantity as a number: thousandths of a CPU, or Ki of bytes. Input: list of its name (cpu or another) and the quantity. */}}
{{- define "todo-chatbot.number" -}}
{{- $text := toString (index . 1) -}}
{{- if ne (index . 0) "cpu" -}}
{{- mul (regexFind "^[0-9]+" $text | int64) (get (dict "Ki" 1 "Mi" 1024 "Gi" 1048576 "Ti" 1073741824) (regexFind "[A-Z]i$" $text)) -}}
{{- else if hasSuffix "m" $text -}}
{{- trimSuffix "m" $text -}}
{{- else -}}
{{- round (mulf (float64 $text) 1000) 0 | int64 -}}
{{- end -}}
{{- end -}}

{{/* A number as a quantity again. Input: list of its name and the number. */}}
{{- define "todo-chatbot.quantity" -}}
{{- if eq (index . 0) "cpu" -}}
{{- printf "%dm" (int64 (index . 1)) -}}
{{- else -}}
{{- printf "%dMi" (div (add (int64 (index . 1)) 1023) 1024) -}}
{{- end -}}
{{- end -}}

{{/*
Every container that the release may run at once, as a list of {pods, containers, resources}: twice the most pods of each service, since while an
update at full scale starts new ones the old ones may still be ending; the database; the test pod; two pods of a person's own. An init container
has the resources of its service, so it counts no more than the container after it. Input: the root context. Output: JSON.
*/}}
{{- define "todo-chatbot.demand" -}}
{{- $values := .Values -}}
{{- $limits := $values.namespaceRules.containerLimits -}}
{{- $demand := list (dict "pods" 2 "containers" 2 "resources" (dict "requests" $limits.defaultRequest "limits" $limits.default)) -}}
{{- range include "todo-chatbot.services" . | fromJson -}}
  {{- $pods := mul 2 (ternary .autoscaling.maxReplicas .replicas .autoscaling.enabled) -}}
  {{- $demand = append $demand (dict "pods" $pods "containers" $pods "resources" .resources) -}}
{{- end -}}
{{- if $values.postgres.enabled -}}
  {{- $demand = append $demand (dict "pods" 1 "containers" 1 "resources" $values.postgres.resources) -}}
{{- end -}}
{{- if include "todo-chatbot.hasExporter" . -}}
  {{- $demand = append $demand (dict "pods" 0 "containers" 1 "resources" $values.postgres.exporter.resources) -}}
{{- end -}}
{{- if include "todo-chatbot.hasTest" . -}}
  {{- $demand = append $demand (dict "pods" 1 "containers" 1 "resources" $values.test.resources) -}}
{{- end -}}
{{- toJson $demand -}}
{{- end -}}

{{/* The quota of the namespace: room for the demand, and the values' own figures over it. Input: the root context. Output: JSON. */}}
{{- define "todo-chatbot.quota" -}}
{{- $demand := include "todo-chatbot.demand" . | fromJsonArray -}}
{{- $quota := dict "services.nodeports" "0" "services.loadbalancers" "0" "requests.storage" "0" "persistentvolumeclaims" "0" -}}
{{- range $side := list "requests" "limits" -}}
  {{- range $name := list "cpu" "memory" "ephemeral-storage" -}}
    {{- $sum := 0 -}}
    {{- range $each := $demand -}}
      {{- with dig $side $name "" $each.resources -}}
        {{- $sum = add $sum (mul $each.containers (include "todo-chatbot.number" (list $name .) | int64)) -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set $quota (printf "%s.%s" $side $name) (include "todo-chatbot.quantity" (list $name $sum)) -}}
  {{- end -}}
{{- end -}}
{{- $pods := 0 -}}
{{- range $demand -}}
  {{- $pods = add $pods .pods -}}
{{- end -}}
{{- $_ := set $quota "pods" (toString $pods) -}}
{{- $services := 2 -}}
{{- range include "todo-chatbot.services" . | fromJson -}}
  {{- $services = add $services (ternary 1 0 (gt (int .port) 0)) -}}
{{- end -}}
{{- with .Values.postgres -}}
  {{- if .enabled -}}
    {{- $services = add $services 1 -}}
    {{- $_ := set $quota "requests.storage" .storage.size -}}
    {{- $_ := set $quota "persistentvolumeclaims" "1" -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $quota "services" (toString $services) -}}
{{- include "todo-chatbot.merge" (list $quota .Values.namespaceRules.quota) -}}
{{- end -}}

{{/*
What one container may have: at most what the largest of the release has, at least what the smallest asks for, and the values' own figures over
these. Input: the root context. Output: JSON.
*/}}
{{- define "todo-chatbot.containerLimits" -}}
{{- $demand := include "todo-chatbot.demand" . | fromJsonArray -}}
{{- $bounds := dict "min" dict "max" dict -}}
{{- range $name := list "cpu" "memory" "ephemeral-storage" -}}
  {{- $least := list -}}
  {{- $most := list -}}
  {{- range $demand -}}
    {{- with dig "requests" $name "" .resources -}}
      {{- $least = append $least (include "todo-chatbot.number" (list $name .) | int64) -}}
    {{- end -}}
    {{- with dig "limits" $name "" .resources -}}
      {{- $most = append $most (include "todo-chatbot.number" (list $name .) | int64) -}}
    {{- end -}}
  {{- end -}}
  {{- $smallest := index $least 0 -}}
  {{- range $least -}}{{- $smallest = min $smallest . -}}{{- end -}}
  {{- $largest := 0 -}}
  {{- range $most -}}{{- $largest = max $largest . -}}{{- end -}}
  {{- $_ := set $bounds.min $name (include "todo-chatbot.quantity" (list $name $smallest)) -}}
  {{- $_ := set $bounds.max $name (include "todo-chatbot.quantity" (list $name $largest)) -}}
{{- end -}}
{{- include "todo-chatbot.merge" (list $bounds .Values.namespaceRules.containerLimits) -}}
{{- end -}}
