{{/* Name of the application, for labels. */}}
{{- define "todo-chatbot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Prefix of every object's name. 36 characters leave room for the longest suffix: a dash, a service name of 20
characters and "-test", within the 63 that DNS allows.
*/}}
{{- define "todo-chatbot.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 36 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects of one component. Input: dict "root" "component". */}}
{{- define "todo-chatbot.componentName" -}}
{{- printf "%s-%s" (include "todo-chatbot.fullname" .root) .component -}}
{{- end -}}

{{/* Name of the priority class that the chart makes for the database. Input: the root context. */}}
{{- define "todo-chatbot.postgresPriorityName" -}}
{{- printf "%s-%s-postgres-%d" .Release.Namespace (include "todo-chatbot.fullname" .) (int .Values.postgres.priority) -}}
{{- end -}}

{{/*
The labels that select the pods of one component. They must never change during the life of a release,
so they hold no version. Input: dict "root" "component".
*/}}
{{- define "todo-chatbot.selectorLabels" -}}
app.kubernetes.io/name: {{ include "todo-chatbot.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{/*
Labels of a pod: those that select it, and what it is part of. No version, so that a new chart version by
itself restarts nothing. Input: dict "root" "component".
*/}}
{{- define "todo-chatbot.podLabels" -}}
{{ include "todo-chatbot.selectorLabels" . }}
app.kubernetes.io/part-of: {{ include "todo-chatbot.name" .root | quote }}
{{- end -}}

{{/* A map of strings, such as labels, quoted on both sides: YAML would read some as something else. Input: the map. */}}
{{- define "todo-chatbot.strings" -}}
{{- range $key, $value := . }}
{{- if not (kindIs "invalid" $value) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels of every other object. Input: dict "root" "component". */}}
{{- define "todo-chatbot.labels" -}}
{{ include "todo-chatbot.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}
