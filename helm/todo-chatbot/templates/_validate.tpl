{{/*
Rules that span several values, which a schema cannot say: they are read after merging. All messages are collected, and the rendering fails
once with all of them. Input: dict "root" "services" (complete settings). Output: nothing.
*/}}
{{- define "todo-chatbot.validate" -}}
{{- $values := .root.Values -}}
{{- $services := .services -}}
{{- $messages := list -}}
{{- if not $services -}}
  {{- $messages = append $messages "services: name at least one service" -}}
{{- end -}}
{{- range $name, $service := $services -}}
  {{- $at := printf "services.%s" $name -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" $at "image" $service.image) | fromJsonArray) -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateService" (dict "at" $at "service" $service) | fromJsonArray) -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateEdges" (dict "at" $at "name" $name "services" $services) | fromJsonArray) -}}
{{- end -}}
{{- range list "postgres" "test" "namespace" -}}
  {{- if hasKey $services . -}}
    {{- $messages = append $messages (printf "services.%s: the chart uses this name itself; choose another" .) -}}
  {{- end -}}
{{- end -}}
{{- if $values.postgres.enabled -}}
  {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" "postgres" "image" $values.postgres.image) | fromJsonArray) -}}
  {{- if not $values.postgres.secret.name -}}
    {{- $messages = append $messages "postgres.secret.name: name the existing Secret that holds POSTGRES_PASSWORD" -}}
  {{- end -}}
  {{- if and $values.monitoring.enabled $values.postgres.exporter.image.repository -}}
    {{- $messages = concat $messages (include "todo-chatbot.validateImage" (dict "at" "postgres.exporter" "image" $values.postgres.exporter.image) | fromJsonArray) -}}
  {{- end -}}
{{- end -}}
{{- if and $values.ingress.enabled (not (hasKey $services $values.ingress.service)) -}}
  {{- $messages = append $messages (printf "ingress.service: there is no service %q" $values.ingress.service) -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
  {{- $messages = append $messages "ingress.host: name the host that the Ingress answers for" -}}
{{- end -}}
{{- if and $values.test.enabled (not (hasKey $services $values.test.imageOf)) -}}
  {{- $messages = append $messages (printf "test.imageOf: there is no service %q" $values.test.imageOf) -}}
{{- end -}}
{{- if $messages -}}
  {{- fail (printf "\n\nThe values do not fit together:\n- %s\n" (join "\n- " ($messages | uniq))) -}}
{{- end -}}
{{- end -}}

{{/* Messages on one image. Input: dict "at" "image". Output: JSON list. */}}
{{- define "todo-chatbot.validateImage" -}}
{{- $messages := list -}}
{{- if not .image.repository -}}
  {{- $messages = append $messages (printf "%s.image.repository: name the image" .at) -}}
{{- end -}}
{{- if eq (empty .image.tag) (empty .image.digest) -}}
  {{- $messages = append $messages (printf "%s.image: set exactly one of tag and digest" .at) -}}
{{- end -}}
{{- if eq .image.tag "latest" -}}
  {{- $messages = append $messages (printf "%s.image.tag: latest is not fixed: a node keeps the image that it has under a tag; use a new tag for each build" .at) -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}

{{/* Messages on one service by itself. Input: dict "at" "service". Output: JSON list. */}}
{{- define "todo-chatbot.validateService" -}}
{{- $at := .at -}}
{{- $service := .service -}}
{{- $messages := list -}}
{{- if and $service.secret.keys (not $service.secret.name) -}}
  {{- $messages = append $messages (printf "%s.secret.name: name the existing Secret that holds %s" $at (join ", " $service.secret.keys)) -}}
{{- end -}}
{{- range $key := append $service.secret.keys "PORT" -}}
  {{- if hasKey $service.env $key -}}
    {{- $messages = append $messages (printf "%s.env.%s: %s" $at $key (ternary "set port instead" "the same key is in secret.keys" (eq $key "PORT"))) -}}
  {{- end -}}
{{- end -}}
{{- with $service.autoscaling -}}
  {{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
    {{- $messages = append $messages (printf "%s.autoscaling: minReplicas %d is above maxReplicas %d" $at (int .minReplicas) (int .maxReplicas)) -}}
  {{- end -}}
{{- end -}}
{{- $paths := list -}}
{{- range $name, $volume := $service.writable -}}
  {{- if has $volume.path $paths -}}
    {{- $messages = append $messages (printf "%s.writable.%s: %s is mounted twice" $at $name $volume.path) -}}
  {{- end -}}
  {{- $paths = append $paths $volume.path -}}
{{- end -}}
{{- if eq $service.probes.readiness.path $service.probes.liveness.path -}}
  {{- $messages = append $messages (printf "%s.probes: readiness and liveness must ask different paths, or a pod that is not ready is killed" $at) -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}

{{/* Messages on the network edges of one service: each must be stated at both ends, since both ends deny. Input: dict "at" "name" "services". Output: JSON list. */}}
{{- define "todo-chatbot.validateEdges" -}}
{{- $at := .at -}}
{{- $name := .name -}}
{{- $services := .services -}}
{{- $policy := (get $services $name).networkPolicy -}}
{{- $messages := list -}}
{{- range $other := $policy.ingressFrom -}}
  {{- if not (hasKey $services $other) -}}
    {{- $messages = append $messages (printf "%s.networkPolicy.ingressFrom: there is no service %q" $at $other) -}}
  {{- else if not (has $name (get $services $other).networkPolicy.egress.services) -}}
    {{- $messages = append $messages (printf "%s.networkPolicy.ingressFrom: services.%s.networkPolicy.egress.services must name %q too" $at $other $name) -}}
  {{- end -}}
{{- end -}}
{{- range $other := $policy.egress.services -}}
  {{- if not (hasKey $services $other) -}}
    {{- $messages = append $messages (printf "%s.networkPolicy.egress.services: there is no service %q" $at $other) -}}
  {{- else if not (has $name (get $services $other).networkPolicy.ingressFrom) -}}
    {{- $messages = append $messages (printf "%s.networkPolicy.egress.services: services.%s.networkPolicy.ingressFrom must name %q too" $at $other $name) -}}
  {{- end -}}
{{- end -}}
{{- toJson $messages -}}
{{- end -}}
