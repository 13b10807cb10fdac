{{/* An image's full name. Input: an image value with repository and one of tag and digest. */}}
{{- define "todo-chatbot.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository .tag -}}
{{- end -}}
{{- end -}}

{{/*
What every pod says of itself before its containers: its rights, and where it may run. Input: dict "root" "pod", the pod's settings: those of a
service or of postgres.
*/}}
{{- define "todo-chatbot.podDefaults" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .pod.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ .name | quote }}
  {{- end }}
{{- end }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- include "todo-chatbot.strings" . | trim | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .pod.affinity }}
affinity: {{ toJson . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int .root.Values.runAsUser }}
  runAsGroup: {{ int .root.Values.runAsUser }}
  fsGroup: {{ int .root.Values.runAsUser }}
  # A volume that has the right group already is not walked again at each start.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* Metadata of a pod's template. Input: dict "component" (with "root" and "component") "pod". */}}
{{- define "todo-chatbot.podMetadata" -}}
labels:
  {{- include "todo-chatbot.podLabels" .component | nindent 2 }}
{{- with .pod.podAnnotations }}
annotations:
  {{- include "todo-chatbot.strings" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Security context of every container; the pod's own is repeated, since some checks read only this one. Input: the root context. */}}
{{- define "todo-chatbot.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ int .Values.runAsUser }}
runAsGroup: {{ int .Values.runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Environment variables from an existing Secret, one reference a key, so that a missing key is an error that names it. Input: a secret value. */}}
{{- define "todo-chatbot.secretEnv" -}}
{{- range .keys }}
- name: {{ . | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $.name | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* What the container of a service and its init containers share. Input: dict "root" "service". */}}
{{- define "todo-chatbot.containerBase" -}}
{{- $root := .root -}}
{{- $service := .service -}}
image: {{ include "todo-chatbot.image" $service.image | quote }}
imagePullPolicy: {{ $service.image.pullPolicy | quote }}
securityContext:
  {{- include "todo-chatbot.containerSecurityContext" $root | nindent 2 }}
env:
  - name: PORT
    value: {{ int $service.port | quote }}
  {{- range $key, $value := $service.env }}
  - name: {{ $key | quote }}
    value: {{ tpl $value $root | quote }}
  {{- end }}
  {{- include "todo-chatbot.secretEnv" $service.secret | trim | nindent 2 }}
resources:
  {{- toYaml $service.resources | nindent 2 }}
{{- with $service.writable }}
volumeMounts:
  {{- range $name, $volume := . }}
  - name: {{ $name | quote }}
    mountPath: {{ $volume.path | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* An emptyDir for each writable path. Input: a map of name to path and size. */}}
{{- define "todo-chatbot.writableVolumes" -}}
{{- range $name, $volume := . }}
- name: {{ $name | quote }}
  emptyDir:
    sizeLimit: {{ $volume.size | quote }}
{{- end }}
{{- end -}}

{{/* Timing of a probe. Input: a probe value. */}}
{{- define "todo-chatbot.probeTiming" -}}
periodSeconds: {{ int .periodSeconds }}
timeoutSeconds: {{ int .timeoutSeconds }}
failureThreshold: {{ int .failureThreshold }}
{{- end -}}
