"""Writes random templates and what Ansible's own templar makes of them as JSON
lines: differential.py SEED COUNT."""
import sys, json, random, warnings
warnings.simplefilter('ignore')
from ansible.template import Templar
from ansible.parsing.dataloader import DataLoader
from ansible.errors import AnsibleUndefinedVariable
V=dict(base=9000,ratio=1.5,word='hello',flag=True,offf=False,nothing=None,names=['alpha','beta','Gamma'],nums=[3,1,2],
       conf={'tier':'gold','ports':[1,2],'nested':{'a':{'b':'deep'}}},empty='',elist=[],numstr='42',neg=-7,
       rows=[{'n':'x','v':1},{'n':'y','v':2},{'n':'z'}],tmpl='{{ base + 1 }}',tmpl2='{{ names | first }}')
R=random.Random(int(sys.argv[1])); N=int(sys.argv[2])
names=list(V)+['nope','conf.tier','conf.nope','names[0]','nums[-1]','conf["ports"]','word[1:3]','rows[0].n','nope.x','conf.nested.a.b','names[9]']
lits=['1','0','-3','2.5',"'x'",'"a b"','true','false','none','[]','[1,2]',"{'a':1}","'5'","''",'10','1e3','0x1f','100_000']
filters=['upper','lower','length','int','float','string','bool','first','last','list','join(",")','join','sort','reverse|list','unique','max','min','sum','abs','round','round(1)','trim','title','capitalize',
 'default("d")','default("d",true)','d(0)','replace("a","b")','map("upper")|list','map("string")|join("-")','select("match","^a")|list','reject("equalto",1)|list','ternary(1,2)','int(7)','split(",")','flatten','union([1])','difference([1])',
 'intersect([1,2])','combine({"z":1})','dict2items','quote','basename','b64encode','selectattr("v","defined")|list','map(attribute="n")|list','selectattr("v","gt",1)|map(attribute="n")|join','regex_replace("[aeiou]","_")','regex_search("l+")','count',
 'to_json','from_json','hash','hash("md5")','hash("sha256")','checksum','md5','regex_escape','urlencode','center(10)','center(7)','indent(2)','indent(2,true)','pow(2)','root',
 'zip([1,2])|list','product([1,2])|list','product([1],[2,3])|list','batch(2)|list','batch(2,0)|list','slice(2)|list','slice(2,0)|list','zip([1])','product(nums)','batch(2)','slice(2)','dict2items','items2dict','to_json|from_json','string|upper','to_nice_json','symmetric_difference([1,5])','dictsort','regex_findall("[a-m]")','ternary("a","b")|upper','b64decode','splitext|list','dirname','wordcount','format(1)','bool','e','escape','safe','max|string','last|default(3)']
tests=['defined','undefined','none','string','number','mapping','sequence','iterable','boolean','integer','float','even','odd','true','false','in names','in word','eq 1','gt 2','match("h")','search("l")','contains("a")','divisibleby 3','lower','upper','truthy','falsy','version("1.5",">=")','version("4.5.0","<")','version("hello")','version("v1-2","ne")','any','all','subset([1,2,3])','superset([1])','issubset(names)','issuperset(names[:1])','nan','divisibleby 2','ge 1','sameas none','le "b"','callable']
meths=['.upper()','.split("l")','.strip()','.replace("l","L")','.startswith("h")','.keys()|list','.get("tier")','.get("nope","q")','.items()|list','.title()','.zfill(9)','.join(["a","b"])','.format(1,2)','.count("l")','.find("l")','.values()|list']
def ex(d):
    k=R.random()
    if d<=0 or k<.25: return R.choice(names if R.random()<.7 else lits)
    if k<.45: return f'{ex(d-1)} {R.choice(["+","-","*","/","//","%","~","+","+","~"])} {ex(d-1)}'
    if k<.55: return f'{ex(d-1)} {R.choice(["==","!=","<",">","<=",">=","in","not in","and","or"])} {ex(d-1)}'
    if k<.6: return f'(not ({ex(d-1)}))'
    if k<.68: return f'({ex(d-1)})'
    if k<.85: return f'{ex(d-1)} | {R.choice(filters)}'
    if k<.9: return f'({ex(d-1)} is {R.choice(["","not "])}{R.choice(tests)})'
    if k<.94: return f'({ex(d-1)} if {ex(d-1)} else {ex(d-1)})'
    if k<.97: return f'{R.choice(["word","conf","names","base","empty"])}{R.choice(meths)}'
    return f'[{ex(d-1)}, {ex(d-1)}]'
def spec():
    return R.choice(['','>','<','^','*^','0>','->']) + R.choice(['','','+',' ','-']) + R.choice(['','0','']) + R.choice(['','2','5','12']) + R.choice(['','','.2','.0']) + R.choice(['','d','s','f','x','X','o'])
def tpl():
    k=R.random()
    if k<.04: return '{{ "a{:'+spec()+'}b".format('+ex(1)+') }}'
    if k<.7: return '{{ '+ex(R.randint(0,3))+' }}'
    if k<.8: return R.choice(['a ','','\n','[',"{'k': "])+'{{ '+ex(2)+' }}'+R.choice([' b','','\n',']','}'])
    if k<.85: return '{% if '+ex(1)+' %}'+R.choice(['yes','1','True'])+'{% else %}\nno\n{% endif %}'
    if k<.9: return '{% for n in '+R.choice(['names','nums','conf','rows','nope','word'])+R.choice([' if n','',' if loop'] if False else [' if n',''])+' %}'+R.choice(['{{ n }}','{{ loop.index }}:{{ n }},','x\n'])+'{% endfor %}'
    if k<.94: return '{% set q = '+ex(2)+' %}{{ q }}'
    return '{{'+R.choice(['','-'])+' '+ex(1)+' '+R.choice(['','-'])+'}} \n {{ '+ex(1)+' }}'+R.choice(['','\n','\n\n'])
t=Templar(loader=DataLoader(), variables=V)
for i in range(N):
    s=tpl()
    try: r=t.template(s); out={'ok':repr(r)}
    except AnsibleUndefinedVariable as e: out={'err':'undefined','msg':str(e)[:120]}
    except Exception as e: out={'err':'other','msg':type(e).__name__+': '+str(e)[:120]}
    if 'object at 0x' in out.get('ok','') or 'dict_' in out.get('ok','') or '<' in out.get('ok',''): continue
    print(json.dumps({'s':s,'out':out}))
